"""Everything at once: eight workers killed, stopped and sent on, their supervisor told to end and begun again.

A worker alone in its process and the enqueuers are killed besides.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter
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
WITNESSES = 2
#: Seconds of the storm.
SECONDS = 60.0
#: The same in bin/soak.
SOAK = float(os.environ.get("BIDE_SOAK_SECONDS", "1800"))
MEGABYTE = 1e6
#: Connections that a process keeps for good and may open late: when two of its threads ask at one moment.
LATE = 2


class Weather:
    """One fleet, and what may happen to it."""

    def __init__(self, book: Ledger) -> None:
        self.book = book
        self.fleet = book.work("-n", str(WORKERS))
        self.alone = book.work()
        #: Nobody kills its workers: what they hold at the end is what they gathered.
        self.witness = book.work("-n", str(WITNESSES))
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

    def kill_the_one_alone(self) -> str:
        self.alone.kill()
        self.alone.wait()
        self.alone = self.book.work()
        return "SIGKILL of a worker alone"

    def kill_an_enqueuer(self) -> str:
        busy = [one for one in self.book.enqueuers if not one.done]
        if not busy:
            return "nothing"
        one = self.random.choice(busy)
        one.kill()
        if not one.done:
            one.start()
        return "SIGKILL of an enqueuer"

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
    """What a process holds."""

    def __init__(self, pid: int) -> None:
        process = psutil.Process(pid)
        self.descriptors = process.num_fds()
        self.memory = process.memory_info().rss

    def __repr__(self) -> str:
        return f"{self.descriptors} descriptors, {self.memory / MEGABYTE:.1f} MB"

    @classmethod
    def of(cls, weather: Weather) -> dict[int, Figures]:
        """Of the supervisor in the storm, and of the keeper and the workers that nobody kills."""
        pids = [weather.fleet.pid, *(one.pid for one in children(weather.witness.pid))]
        return {pid: cls(pid) for pid in pids}


def rage(tmp_path: Path, url: str, seconds: float, count: int) -> None:
    pauses = {"LEDGER_PAUSE": 0.01, "LEDGER_ENQUEUE_PAUSE": max(0.02, seconds / count * 20)}
    settings = {"sleep_delay": 1, "grace_time": 5, "heartbeat_interval": 5}
    with ledger(tmp_path, url, **settings, **pauses) as book:
        weather = Weather(book)
        wait_until(lambda: len(children(weather.fleet.pid)) == WORKERS + 1, within=60)
        wait_until(lambda: len(children(weather.witness.pid)) == WITNESSES + 1, within=60)
        book.enqueue(count)
        did = _blow(weather, seconds / 3)
        weather.replace_the_supervisor()
        did += _blow(weather, seconds / 3)
        before = Figures.of(weather)
        did += _blow(weather, seconds / 3)
        # Any may hold more for a moment, while it replaces a worker or reports.
        wait_until(lambda: _more(before, Figures.of(weather)) == [], within=20)
        after = Figures.of(weather)
        print(f"{dict(did)}: {before}, then {after}")  # noqa: T201 - figures
        done = len(book.ask("SELECT 1 FROM ledger"))
        weather.replace_the_supervisor()
        weather.go_on()
        print(f"{done} jobs performed in the storm, the rest of {count} in peace")  # noqa: T201 - figures
        book.wait_until_done(180 + count / 40)
        book.wait_until_the_dead_are_forgotten()
        assert len(book.acknowledged()) >= count
        assert book.lost() == set()
        assert book.doubled_leases() == {}
        assert did["SIGKILL"] > seconds / 2
        assert after.keys() == before.keys()
        for pid, figures in after.items():
            assert figures.memory - before[pid].memory < 2 * MEGABYTE
        book.stop()
        assert (book.left(), book.app.store.workers()) == (0, [])
        assert book.processes_here() == []


def _more(before: dict[int, Figures], after: dict[int, Figures]) -> list[int]:
    """Who holds more descriptors than before, and than a first use by each of its threads explains."""
    allowed = {pid: figures.descriptors + LATE for pid, figures in before.items()}
    return [pid for pid, most in allowed.items() if after[pid].descriptors > most]


def _blow(weather: Weather, seconds: float) -> Counter[str]:
    deeds = [weather.kill] * 10 + [weather.stop_or_go_on] * 5
    rare = [weather.kill_the_one_alone, weather.kill_an_enqueuer]
    with Storm(0.2, *deeds, *rare).raging() as storm:
        _last(seconds)
    return storm.did


def _last(seconds: float) -> None:
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() >= end, within=seconds + 5, every=0.1)


@pytest.mark.story
@pytest.mark.long
@pytest.mark.timeout(SECONDS + 360)
def test_nothing_is_lost_in_a_storm(tmp_path: Path, database_url: str) -> None:
    """Promises 1 and 2, DJ-559: no lease ends twice, no orphan, no descriptor leaked, no memory gained."""
    rage(tmp_path, database_url, SECONDS, count=2_000)


@pytest.mark.soak
@pytest.mark.timeout(2 * SOAK + 900)
def test_nothing_is_lost_in_a_long_storm(tmp_path: Path, database_url: str) -> None:
    rage(tmp_path, database_url, seconds=SOAK, count=int(SOAK * 30))
