"""What only the SQLite store does with claims, reports and inserts: one transaction for many of them."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from bide.clock import monotonic
from bide.db.turn import Turn
from bide.errors import ConnectionLost, DatabaseError
from bide.jobs.job import Filter, State
from bide.jobs.store import Lease, Wanted
from bide.jobs.stores.sqlite import SQLiteStore
from bide.testing.contract.acting import (
    ANYTHING,
    NOW,
    a_job,
    claim,
    enlist,
    fail,
    failure,
    finish,
    put_many,
)

KIND = "sqlite"


def leases_of(rows: list[Any]) -> list[Lease]:
    return [(row.id, row.lease) for row in rows]


def test_an_exchange_finishes_and_claims_like_the_two_verbs(store: SQLiteStore) -> None:
    new, worker = put_many(store, 9), enlist(store)
    done = claim(store, worker, 4)
    exchange = store.exchange(worker, leases_of(done), ANYTHING, 3, NOW)
    assert exchange is not None
    told = exchange.answer()
    assert told.done == {row.id for row in done}
    assert [row.id for row in told.claimed] == new[4:7]
    assert told.claimed == [store.get(job_id) for job_id in new[4:7]]
    assert store.count(Filter()) == 5


def test_an_exchange_leaves_what_another_worker_holds_now(store: SQLiteStore) -> None:
    put_many(store, 2)
    worker, other = enlist(store), enlist(store)
    [mine, theirs] = claim(store, worker, 2)
    store.release(worker, leases_of([theirs]), NOW)
    assert [row.id for row in claim(store, other, 1)] == [theirs.id]
    exchange = store.exchange(worker, leases_of([mine, theirs]), ANYTHING, 3, NOW)
    assert exchange is not None
    assert exchange.answer() == ({mine.id}, [])
    assert store.held(other) == [(theirs.id, theirs.lease + 1)]


@pytest.mark.parametrize("queue", [None, "b"])
def test_jobs_between_those_that_are_meant_are_left_alone(
    store: SQLiteStore, queue: str | None
) -> None:
    """In a claim and in a report, whether the ids of those that are meant follow each other or not."""
    new = [put_many(store, 1, queue="ab"[number % 2])[0] for number in range(6)]
    wanted = ANYTHING if queue is None else Wanted(queues=(queue,))
    worker = enlist(store)
    rows = claim(store, worker, wanted=wanted)
    assert [row.id for row in rows] == (new if queue is None else new[1::2])
    ended = rows[::2] if queue is None else rows[:2]
    assert store.finish(worker, leases_of(ended), NOW, keep=False) == {row.id for row in ended}
    left = [row.id for row in store.find(Filter(), limit=10)]
    assert sorted(left) == [job_id for job_id in new if job_id not in {row.id for row in ended}]
    running = store.count(Filter(states=(State.RUNNING,)))
    assert running == len(rows) - len(ended)


def test_a_report_takes_along_the_attempts_of_its_own_jobs_and_of_no_other(
    store: SQLiteStore,
) -> None:
    """Also where the report has to be undone and made again, because one of its leases was lost."""
    put_many(store, 4)
    worker = enlist(store)
    for row in claim(store, worker):
        store.retry_later(worker, failure(row), NOW)
    kept, first, second, lost = claim(store, worker)
    fail(store, worker, kept)
    store.release(worker, leases_of([lost]), NOW)
    assert finish(store, worker, first) == {first.id}
    assert finish(store, worker, second, lost) == {second.id}
    counts = {row.id: len(store.attempts(row.id)) for row in (kept, first, second, lost)}
    assert counts == {kept.id: 2, first.id: 0, second.id: 0, lost.id: 1}


def test_an_exchange_does_not_wait_long_for_a_busy_file(store: SQLiteStore) -> None:
    put_many(store, 2)
    worker = enlist(store)
    held = leases_of(claim(store, worker, 1))
    stranger = sqlite3.connect(store.database.file, isolation_level=None)
    stranger.execute("BEGIN IMMEDIATE")
    start = monotonic()
    assert store.exchange(worker, held, ANYTHING, 1, NOW) is None
    assert monotonic() - start < store.database.busy_timeout / 2
    stranger.execute("ROLLBACK")
    stranger.close()
    assert store.held(worker) == held
    assert store.count(Filter(states=(State.READY,))) == 1


def test_an_exchange_does_not_wait_long_for_its_turn(store: SQLiteStore) -> None:
    """Another writer of ours: what was to be reported is certain to be unreported, not in doubt."""
    put_many(store, 2)
    worker = enlist(store)
    held = leases_of(claim(store, worker, 1))
    with Turn(store.database.file).taken(1):
        assert store.exchange(worker, held, ANYTHING, 1, NOW) is None
    assert store.held(worker) == held


def test_an_exchange_whose_claim_fails_finishes_nothing_by_halves(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_many(store, 2)
    worker = enlist(store)
    held = leases_of(claim(store, worker, 1))

    def fail(*_: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(store._claims, "take", fail)
    assert store.exchange(worker, held, ANYTHING, 1, NOW) is None
    assert store.held(worker) == held


def test_an_exchange_of_which_nobody_knows_whether_it_took_effect_says_so(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the file system fails while the transaction commits."""
    worker = enlist(store)

    def fail(*_: Any, **__: Any) -> None:
        raise DatabaseError("disk I/O error")

    monkeypatch.setattr(store.database, "run", fail)
    with pytest.raises(ConnectionLost, match="disk I/O"):
        store.exchange(worker, [], ANYTHING, 1, NOW)


def test_values_of_new_jobs_stand_in_the_order_of_the_statement(store: SQLiteStore) -> None:
    names = store.statements["insert_many"].form("qmark").names
    assert names == (
        "key", "name", "queue", "priority", "state", "payload", "max_attempts", "run_at", "created_at",
        "locale", "context", "pos",
    )  # fmt: skip


def test_ids_of_a_batch_are_right_when_some_keys_are_stored_already(store: SQLiteStore) -> None:
    old = [a_job() for _ in range(3)]
    ids = store.insert(old)
    new = [a_job() for _ in range(3)]
    mixed = [new[0], old[1], new[1], old[0], new[2], new[0]]
    told = store.insert(mixed)
    assert [told[1], told[3]] == [ids[1], ids[0]]
    assert told[5] == told[0]
    rows = [store.get(job_id) for job_id in told]
    assert [row.key for row in rows if row is not None] == [job.key for job in mixed]


def test_ids_are_right_when_a_trigger_takes_numbers(store: SQLiteStore) -> None:
    """They are only reckoned where no number can be missing between the first and the last."""
    echo = """
        INSERT INTO bide_jobs (key, name, queue, priority, state, payload, run_at, created_at, pos)
        VALUES ('echo ' || new.key, 'echo', 'q', 0, 2, '{}', '2099-01-01', '2031-01-01', 0)
    """
    trigger = (
        f"CREATE TRIGGER echoes AFTER INSERT ON bide_jobs WHEN new.name = 'greet' BEGIN {echo}; END"
    )
    store.database.run(lambda c: c.execute(trigger))
    new = [a_job() for _ in range(4)]
    told = [*store.insert(new[:3]), *store.insert(new[3:])]
    rows = [store.get(job_id) for job_id in told]
    assert [row.key for row in rows if row is not None] == [job.key for job in new]
