"""A supervisor keeps its fleet at work: deaths, crashes, hangs, stops. Real processes on SQLite."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bide.jobs.job import State
from waiting import wait_until
from workers.fleets import Fleet, fleet

pytestmark = [
    pytest.mark.story,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


@pytest.fixture
def shop(tmp_path: Path, sqlite_url: str) -> Iterator[Fleet]:
    with fleet(tmp_path, sqlite_url, sleep_delay=0.5, kill_after=0.5, grace_time=3) as made:
        yield made


def test_every_worker_process_performs_jobs_and_runs_execute_once(shop: Fleet) -> None:
    """DJ-501, DJ-502."""
    for number in range(6):
        shop.enqueue("slow", number, 0.3)
    shop.start("-n", "3")
    did = shop.wait_for(6, did=None)
    assert {note["did"] for note in did} == set(range(6))
    assert len({note["pid"] for note in did}) > 1
    executed = [note["pid"] for note in shop.notes(execute=None)]
    assert len(executed) == len(set(executed)) == 3


def test_the_job_of_a_killed_worker_runs_again_at_once_and_its_worker_is_replaced(
    shop: Fleet,
) -> None:
    shop.start("-n", "2")
    shop.wait_for(2, execute=None)
    job_id = shop.enqueue("dies", 1, 1)
    [done] = shop.wait_for(did=1)
    first, second = shop.notes(began=1)
    assert second["at"] - first["at"] < 10.0  # a rescue by heartbeats would take 20 at least
    assert done["pid"] != first["pid"]
    wait_until(lambda: len(shop.children()) == 3)
    assert shop.app.store.get(job_id) is None or wait_until(
        lambda: shop.app.store.get(job_id) is None
    )


def test_a_crash_is_recorded_with_its_signal_and_counted_on_the_running_job_only(
    shop: Fleet,
) -> None:
    ids = [shop.enqueue("work", number) for number in range(5)]
    culprit = shop.enqueue("dies", 9, 1, priority=-1)
    shop.start("-n", "2")
    shop.wait_for(5, did=None)
    shop.wait_for(did=9)
    assert all(shop.app.store.attempts(job_id) == [] for job_id in ids)
    assert len([note for note in shop.notes(did=None) if note["did"] < 5]) == 5
    assert culprit


def test_a_job_that_keeps_killing_its_workers_ends_failed_with_the_reason(shop: Fleet) -> None:
    job_id = shop.enqueue("dies", 1, 99)
    other = shop.enqueue("work", 2)
    shop.start("-n", "2")
    shop.wait_for(did=2)
    wait_until(lambda: _state(shop, job_id) == State.FAILED, within=20)
    row = shop.app.store.get(job_id)
    assert row is not None
    assert row.crashes == 3
    assert "SIGKILL" in (row.last_error or "")
    assert "peak memory" in (row.last_error or "")
    assert [one.kind for one in shop.app.store.attempts(job_id)] == ["crash"] * 3
    assert other


def test_a_job_that_leaves_with_status_0_counts_as_crashed_too(shop: Fleet) -> None:
    job_id = shop.enqueue("dies", 1, 99, "0")
    shop.start("-n", "2")
    wait_until(lambda: _state(shop, job_id) == State.FAILED, within=20)
    row = shop.app.store.get(job_id)
    assert row is not None
    assert "exit status 0" in (row.last_error or "")


@pytest.mark.parametrize("job", ["deaf", "stuck"])
def test_a_job_that_does_not_heed_its_timeout_is_killed_by_the_supervisor(
    shop: Fleet, job: str
) -> None:
    """It swallows the exception, or hangs in C code where none can be raised."""
    job_id = shop.enqueue(job, 1)
    shop.start("-n", "2")
    wait_until(lambda: len(shop.app.store.attempts(job_id)) >= 1, within=20)
    attempt = shop.app.store.attempts(job_id)[0]
    assert attempt.kind == "timeout"
    assert "ignored its timeout" in attempt.error


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_a_fleet_whose_database_url_cannot_be_used_gives_up_and_says_why(
    shop: Fleet, start_method: str
) -> None:
    """It would wait for ever for a database that no other attempt can find."""
    shop.environment["BIDE_START_METHOD"] = start_method
    shop.environment["BIDE_DATABASE_URL"] = "postgresql://127.0.0.1/shop?conect_timeout=3"
    shop.start("-n", "2")
    assert shop.wait(60) == 1
    assert 'invalid connection option "conect_timeout"' in shop.log.read_text()


def test_every_process_of_a_fleet_waits_for_the_disk_as_asked(
    tmp_path: Path, sqlite_url: str
) -> None:
    source = """
def ask(): return app.database.read(lambda c: c.execute("PRAGMA synchronous"))[0][0]

@app.job
def synchronous(): note(synchronous=ask(), enqueued=work.delay(1).id)

@app.lifecycle.after("enqueue")
def stored(job): note(storing=ask())
"""
    with fleet(tmp_path, sqlite_url, source, sqlite_synchronous="FULL") as shop:
        shop.enqueue("synchronous")
        shop.start("-n", "2")
        assert [note["synchronous"] for note in shop.wait_for(1, synchronous=None)] == [2]
        assert {note["storing"] for note in shop.wait_for(1, storing=None)} == {2}


def test_an_idle_fleet_stops_at_once_with_status_0(shop: Fleet) -> None:
    """DJ-557."""
    shop.start("-n", "2")
    shop.wait_for(2, execute=None)
    shop.signal(signal.SIGTERM)
    assert shop.wait(20) == 0
    assert shop.app.store.workers() == []


def test_a_stopping_fleet_finishes_what_runs_and_starts_nothing_more(shop: Fleet) -> None:
    """DJ-530, DJ-560."""
    running, waiting = shop.enqueue("slow", 1, 1.0), shop.enqueue("slow", 2, 0.1)
    shop.start("-n", "1")
    shop.wait_for(began=1)
    shop.signal(signal.SIGTERM)
    assert shop.wait(10) == 0
    assert shop.notes(did=1)
    assert not shop.notes(began=2)
    assert shop.app.store.get(running) is None
    assert _state(shop, waiting) == State.READY


@pytest.mark.parametrize("stops", [1, 2])
def test_a_job_beyond_the_grace_time_or_a_second_signal_is_given_back_uncounted(
    shop: Fleet, stops: int
) -> None:
    """DJ-558, DJ-559."""
    job_id = shop.enqueue("slow", 1, 60)
    shop.start("-n", "2")
    shop.wait_for(began=1)
    for _ in range(stops):
        shop.signal(signal.SIGTERM)
        wait_until(lambda: True)
    assert shop.wait(10) == 0
    row = shop.app.store.get(job_id)
    assert row is not None
    assert (row.state, row.attempts, row.locked_at) == (State.READY, 0, None)


#: Seconds in which all have ended when the last job has; a tenth of a second is usual.
ENDED_WITHIN = 5.0


def test_workers_whose_supervisor_was_killed_finish_and_end(shop: Fleet) -> None:
    shop.enqueue("slow", 1, 1.0)
    shop.start("-n", "2")
    shop.wait_for(began=1)
    children = shop.children()
    shop.signal(signal.SIGKILL)
    shop.wait()
    [did] = shop.wait_for(did=1)
    wait_until(lambda: not any(_lives(pid) for pid in children), within=20)
    assert time.monotonic() - did["at"] < ENDED_WITHIN


def test_a_killed_keeper_is_replaced_and_deaths_are_still_reported(shop: Fleet) -> None:
    shop.start("-n", "2")
    workers = {note["pid"] for note in shop.wait_for(2, execute=None)}
    [keeper] = set(shop.children()) - workers
    os.kill(keeper, signal.SIGKILL)
    wait_until(lambda: keeper not in shop.children() and len(shop.children()) == 3)
    shop.enqueue("dies", 1, 1)
    assert shop.wait_for(did=1)


def test_threads_share_a_process_and_each_runs_a_job(shop: Fleet) -> None:
    for number in range(3):
        shop.enqueue("slow", number, 1.0)
    shop.start("-n", "1", "--threads", "3")
    did = shop.wait_for(3, did=None)
    assert len({note["pid"] for note in did}) == 1
    began = [note["at"] for note in shop.notes(began=None)]
    assert max(began) < min(note["at"] for note in did)


def test_exit_on_complete_ends_the_fleet_when_nothing_is_left(shop: Fleet) -> None:
    """DJ-110."""
    for number in range(3):
        shop.enqueue("work", number)
    shop.start("-n", "2", "--exit-on-complete")
    assert shop.wait(20) == 0
    assert len(shop.notes(did=None)) == 3


def test_a_fleet_that_ends_when_nothing_is_left_replaces_workers_until_then(
    tmp_path: Path, sqlite_url: str
) -> None:
    with fleet(tmp_path, sqlite_url, sleep_delay=0.5, recycle_after_jobs=2) as shop:
        for number in range(9):
            shop.enqueue("work", number)
        shop.start("-n", "2", "--exit-on-complete")
        assert shop.wait(20) == 0
        assert {note["did"] for note in shop.notes(did=None)} == set(range(9))


@pytest.mark.parametrize(
    "share", [{"recycle_after_jobs": 1}, {"recycle_after": 0.1}, {"recycle_above_memory": 1000}]
)
def test_workers_are_replaced_after_their_share_of_jobs_time_or_memory(
    tmp_path: Path, sqlite_url: str, share: dict[str, float]
) -> None:
    with fleet(tmp_path, sqlite_url, sleep_delay=0.5, **share) as shop:
        shop.start("-n", "2")
        for number in range(4):
            shop.enqueue("work", number)
        did = shop.wait_for(4, did=None)
        assert len(did) == 4
        assert len({note["pid"] for note in shop.wait_for(3, execute=None)}) > 2
        assert "has done its share" in shop.log.read_text()


def _state(shop: Fleet, job_id: int) -> int | None:
    row = shop.app.store.get(job_id)
    return row.state if row is not None else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
