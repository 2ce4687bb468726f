"""A whole host is gone for longer than two heartbeats: others take its jobs, and it may not take them back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from bide.jobs.job import Filter, State
from stories.ledger import Ledger, ledger
from waiting import wait_until

pytestmark = [
    pytest.mark.story,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


def test_the_jobs_of_a_stopped_fleet_go_to_another_and_it_may_not_finish_them(
    tmp_path: Path, database_url: str
) -> None:
    """Promises 2 and 4."""
    settings = {"heartbeat_interval": 0.5, "sleep_delay": 0.3}
    with ledger(tmp_path, database_url, **settings) as book:
        fleets = [book.work("-n", "2"), book.work("-n", "2")]
        wait_until(lambda: len(book.app.store.workers()) == 4, within=60)
        first = book.app_module().long.delay(1, 4)
        [held] = wait_until(lambda: _running(book), within=40)
        gone, other = _with(fleets, book, held.locked_by)
        stopped = _everybody(gone)
        for process in stopped:
            process.suspend()
        try:
            taken = wait_until(lambda: _running_again(book, held.lease), within=40)
            assert taken.locked_by != held.locked_by
            assert [one.kind for one in book.app.store.attempts(held.id)] == ["crash"]
        finally:
            for process in stopped:
                process.resume()
        wait_until(lambda: book.left() == 0, within=40)
        wait_until(lambda: len(book.runs()) == 2, within=40)
        assert sorted(book.runs().items()) == [((first.id, 1), 1), ((first.id, 2), 1)]
        wait_until(lambda: "its lease 1 was lost" in book.log.read_text(), within=20)
        _works_on(book, gone, other)


def _works_on(book: Ledger, gone: subprocess.Popen[bytes], other: subprocess.Popen[bytes]) -> None:
    """Under a new registration."""
    other.terminate()
    other.wait(40)
    shop = book.app_module()
    shop.enter.delay(2)
    wait_until(lambda: len(book.runs()) == 3, within=40)
    assert "was given up for dead" in book.log.read_text()
    wait_until(lambda: len(book.app.store.workers()) == 2, within=20)
    here = {process.pid for process in _everybody(gone)}
    assert {row.pid for row in book.app.store.workers()} <= here


def _with(
    fleets: list[subprocess.Popen[bytes]], book: Ledger, worker: str
) -> list[subprocess.Popen[bytes]]:
    """The fleet that this worker belongs to, and the other one."""
    [pid] = [row.pid for row in book.app.store.workers() if row.name == worker]
    return sorted(fleets, key=lambda fleet: pid not in {one.pid for one in _everybody(fleet)})


def _everybody(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    leader = psutil.Process(process.pid)
    return [leader, *leader.children(recursive=True)]


def _running(book: Ledger) -> list[Any]:
    return book.app.store.find(Filter(states=(State.RUNNING,)))


def _running_again(book: Ledger, lease: int) -> Any:
    return next((row for row in _running(book) if row.lease > lease), None)
