"""Everything at once: eight workers killed, stopped and sent on, their supervisor told to end and begun again."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from stories.killer import Storm
from stories.ledger import Ledger, children, ledger
from waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]

WORKERS = 8
#: Seconds of the storm in bin/soak.
SOAK = float(os.environ.get("BIDE_SOAK_SECONDS", "1800"))
MEGABYTE = 1e6


class Weather:
    """One fleet, and what may happen to it."""

    def __init__(self, book: Ledger) -> None:
        self.book = book
        self.fleet = book.work("-n", str(WORKERS))
        self.first = psutil.Process(self.fleet.pid)
        self.next_number = 0
        self._stopped: list[psutil.Process] = []
        self.random = random.Random()

    def victim(self) -> psutil.Process | None:
        some = children(self.fleet.pid)
        return self.random.choice(some) if some else None

    def kill(self) -> str:
        victim = self.victim()
        if victim is None:
            return "nothing"
        victim.kill()
        return "SIGKILL"

    def stop_or_go_on(self) -> str:
        """No more than one is stopped, and goes on the next time."""
        if self._stopped:
            self._stopped.pop().resume()
            return "SIGCONT"
        victim = self.victim()
        if victim is None:
            return "nothing"
        self._stopped.append(victim)
        victim.suspend()
        return "SIGSTOP"

    def replace_the_supervisor(self) -> str:
        """TERM, and a new one beside it while the old one still ends."""
        self.go_on()
        self.fleet.send_signal(signal.SIGTERM)
        self.fleet = self.book.work("-n", str(WORKERS))
        return "SIGTERM of the supervisor"

    def go_on(self) -> None:
        while self._stopped:
            with suppress(psutil.NoSuchProcess):  # killed meanwhile
                self._stopped.pop().resume()


class Figures:
    """What a supervisor and its keeper hold."""

    def __init__(self, pid: int) -> None:
        process = psutil.Process(pid)
        self.descriptors = process.num_fds()
        self.memory = process.memory_info().rss

    def __repr__(self) -> str:
        return f"{self.descriptors} descriptors, {self.memory / MEGABYTE:.1f} MB"


def rage(tmp_path: Path, url: str, seconds: float, count: int) -> None:
    pauses = {"LEDGER_PAUSE": 0.01, "LEDGER_ENQUEUE_PAUSE": max(0.02, seconds / count * 10)}
    settings = {"sleep_delay": 1, "grace_time": 5, "heartbeat_interval": 5}
    with ledger(tmp_path, url, **settings, **pauses) as book:
        weather = Weather(book)
        wait_until(lambda: len(children(weather.fleet.pid)) == WORKERS + 1, within=60)
        book.enqueue(count)
        half = seconds / 2
        deeds = [weather.kill] * 4 + [weather.stop_or_go_on] * 2
        with Storm(0.2, *deeds).raging() as storm:
            _last(half)
        before = Figures(weather.fleet.pid)
        with Storm(0.2, *deeds).raging() as again:
            _last(half)
        after = Figures(weather.fleet.pid)
        print(f"{dict(storm.did + again.did)}: {before}, then {after}")  # noqa: T201 - figures
        done = len(book.ask("SELECT 1 FROM ledger"))
        weather.replace_the_supervisor()
        weather.go_on()
        print(f"{done} jobs performed in the storm, the rest of {count} in peace")  # noqa: T201 - figures
        book.wait_until_done(180 + count / 40)
        book.wait_until_the_dead_are_forgotten()
        assert book.lost() == set()
        assert book.doubled_leases() == {}
        assert after.descriptors <= before.descriptors
        assert after.memory - before.memory < 2 * MEGABYTE
        book.stop()
        assert (book.left(), book.app.store.workers()) == (0, [])
        assert book.processes_here() == []


def _last(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, within=seconds + 5, every=0.1)


@pytest.mark.story
@pytest.mark.timeout(300)
def test_nothing_is_lost_in_a_storm(tmp_path: Path, database_url: str) -> None:
    """Promises 1 and 2: no lease ends twice, no orphan, no descriptor leaked, no memory gained."""
    rage(tmp_path, database_url, seconds=16, count=1_000)


@pytest.mark.soak
@pytest.mark.timeout(2 * SOAK + 900)
def test_nothing_is_lost_in_a_long_storm(tmp_path: Path, database_url: str) -> None:
    rage(tmp_path, database_url, seconds=SOAK, count=int(SOAK * 30))
