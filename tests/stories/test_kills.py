"""Workers and enqueuers are killed at random while twenty thousand jobs are stored and performed.

A short one of this kind, with more that happens, is `test_storm.py`.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import pytest

from stories.killer import Storm
from stories.ledger import Ledger, children, ledger
from waiting import wait_until

pytestmark = [
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


class Crowd:
    """A fleet of forked workers, and workers alone in their process, replaced when they were killed."""

    def __init__(self, book: Ledger, forked: int, alone: int) -> None:
        self.book = book
        self.fleet = book.work("-n", str(forked))
        self.alone = [book.work() for _ in range(alone)]

    def kill_one_of_the_fleet(self) -> str:
        """A worker, or the keeper."""
        some = children(self.fleet.pid)
        if not some:
            return "nothing"
        random.choice(some).kill()
        return "forked worker or keeper"

    def kill_one_alone(self) -> str:
        index = random.randrange(len(self.alone))
        self.alone[index].kill()
        self.alone[index].wait()
        self.alone[index] = self.book.work()
        return "worker alone"

    def kill_an_enqueuer(self) -> str:
        busy = [one for one in self.book.enqueuers if not one.done]
        if not busy:
            return "nothing"
        one = random.choice(busy)
        one.kill()
        if not one.done:
            one.start()
        return "enqueuer"


def prove(tmp_path: Path, url: str, count: int, rage: float, within: float) -> None:
    pauses = {"LEDGER_PAUSE": 0.001, "LEDGER_ENQUEUE_PAUSE": 0.1}
    with ledger(tmp_path, url, sleep_delay=1, **pauses) as book:
        book.enqueue(count)
        crowd = Crowd(book, forked=3, alone=2)
        deeds = [
            *[crowd.kill_one_of_the_fleet] * 4,
            crowd.kill_one_alone,
            crowd.kill_an_enqueuer,
        ]
        with Storm(0.4, *deeds).raging() as storm:
            _until_performed(book, rage)
        book.wait_until_done(within)
        book.wait_until_the_dead_are_forgotten()
        report = f"{count} jobs, killed {dict(storm.did)}, run again {book.jobs_run_again()}"
        print(report)  # noqa: T201 - figures for whoever runs it with -s
        assert len(book.acknowledged()) >= count
        assert book.lost() == set()
        assert book.doubled_leases() == {}
        assert storm.did["forked worker or keeper"] > 3, report
        book.stop()
        assert book.left() == 0
        assert book.app.store.workers() == []
        assert book.processes_here() == []


def _until_performed(book: Ledger, rage: float) -> None:
    """Most of it, or for `rage` seconds: the rest is performed in peace."""
    enough = 0.9 * sum(one.count for one in book.enqueuers)
    end = time.monotonic() + rage
    wait_until(
        lambda: time.monotonic() > end or len(book.ask("SELECT 1 FROM ledger")) >= enough,
        within=rage + 60,
        every=0.3,
    )


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_twenty_thousand_jobs_survive_the_killing(tmp_path: Path, database_url: str) -> None:
    prove(tmp_path, database_url, 20_000, rage=240, within=600)
