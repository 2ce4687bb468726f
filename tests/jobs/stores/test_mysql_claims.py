"""Claims in MySQL: which rows they lock, in what order they come, and that nobody deadlocks."""

from __future__ import annotations

import multiprocessing
import random
from typing import Any

import pytest

from bide import clock
from bide.db.engine import Database
from bide.jobs.job import Filter, JobRow, State
from bide.jobs.store import Failure, Store, Wanted
from bide.testing.contract.acting import (
    ANYTHING,
    NOW,
    SECOND,
    a_job,
    claim,
    claimable,
    enlist,
    ids,
    lease,
    put,
    put_many,
)

KIND = "mysql"


def test_hundreds_of_levels_are_claimed_in_one_order(store: Store) -> None:
    """DJ-043, DJ-302: more levels than one statement names."""
    levels = [(f"queue {n % 20:02}", n // 20) for n in range(300)]
    random.shuffle(levels)
    new = store.insert([a_job(queue=queue, priority=priority) for queue, priority in levels * 2])
    priority_of = dict(zip(new, [priority for _, priority in levels * 2], strict=True))
    expected = sorted(new, key=lambda job_id: (priority_of[job_id], job_id))
    worker = enlist(store)
    claimed = [*ids(claim(store, worker, 250)), *ids(claim(store, worker, 1000))]
    assert claimed == expected


def test_what_one_claim_has_locked_does_not_hide_other_levels(store: Store, mysql_url: str) -> None:
    """A claim in the middle of its transaction holds the head of every level but one."""
    held = [put(store, queue=name) for name in "abc"]
    free = put(store, queue="d")
    database = Database(mysql_url)
    lock = f"SELECT id FROM bide_jobs FORCE INDEX (PRIMARY) WHERE id IN {tuple(held)} FOR UPDATE"

    def work(connection: Any) -> list[int]:
        connection.execute(lock)
        return ids(claim(store, enlist(store), 1))

    assert database.run(work) == [free]
    database.close()
    assert sorted(claimable(store)) == held


def test_a_claim_locks_no_more_than_it_takes(store: Store, mysql_url: str) -> None:
    """DJ-583, DJ-584: while it is not committed, everything else can be claimed."""
    put_many(store, 10, queue="a")
    put_many(store, 10, queue="b")
    other = Database(mysql_url)
    held = other.run(lambda connection: _claim_within(store, connection))
    other.close()
    assert held == 18


def _claim_within(store: Store, connection: Any) -> int:
    """How many jobs another claim gets while this one, of two, is not committed."""
    claims: Any = store._claims  # type: ignore[attr-defined]
    look = claims._look(claims._anything, NOW)
    shares, _ = claims._shares(connection, look.levels, 2)
    assert len(claims._lock(connection, shares)) == 2
    return len(claim(store, enlist(store), 100))


@pytest.mark.timeout(150)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_eight_processes_run_thousands_of_jobs_once_each_without_a_deadlock(
    store: Store, mysql_url: str
) -> None:
    """DJ-583, DJ-533: the original deadlocked on the DELETE, and ran the job again."""
    total = 2_000
    for start in range(0, total, 1000):
        store.insert([a_job(queue="ab"[n % 2], priority=n % 3) for n in range(start, start + 1000)])
    before = _deadlocks(mysql_url)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    children = [
        context.Process(target=_drain, args=(store, n, results), daemon=True) for n in range(8)
    ]
    for child in children:
        child.start()
    ran = [job_id for _ in children for job_id in results.get(timeout=100)]
    for child in children:
        child.join(30)
    assert len(ran) == len(set(ran)) == total
    assert store.count(Filter()) == 0
    assert _deadlocks(mysql_url) == before


def _drain(store: Store, number: int, results: Any) -> None:
    """Claim, finish, give back, fail and retry until nothing is left; the ids that were finished."""
    chance, worker = random.Random(number), enlist(store, f"process {number}")
    finished: list[int] = []
    while store.count(Filter(), at_most=1):
        rows = store.claim(worker, ANYTHING, chance.randint(1, 20), NOW + SECOND)
        if number == 0 and chance.random() < 0.05:
            enlist(store, "newcomer")
        chance.shuffle(rows)
        third = len(rows) // 3
        back, failed, done = rows[: third // 2], rows[third // 2 : third], rows[third:]
        store.release(worker, [lease(row) for row in back], NOW)
        for row in failed:
            assert store.retry_later(worker, _failure(row), NOW)
        finished += store.finish(worker, [lease(row) for row in done], NOW, keep=False)
    results.put(finished)
    store.close()


def _failure(row: JobRow) -> Failure:
    return Failure(row.id, row.lease, row.attempts + 1, "no luck", "ValueError", NOW, NOW + SECOND)


def _deadlocks(url: str) -> int:
    database = Database(url)
    rows = database.read(lambda c: c.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'"))
    database.close()
    return sum(int(value) for _, value in rows)


def test_promotion_leaves_rows_that_others_have_locked(store: Store, mysql_url: str) -> None:
    new = [put(store, run_at=NOW + n * SECOND) for n in (3, 1, 2)]
    database = Database(mysql_url)

    def work(connection: Any) -> int:
        connection.execute(
            f"SELECT id FROM bide_jobs FORCE INDEX (PRIMARY) WHERE id = {new[1]} FOR UPDATE"
        )
        return store.promote(NOW + 9 * SECOND)

    assert database.run(work) == 2
    database.close()
    assert claimable(store, now=NOW + 9 * SECOND) == [new[2], new[0], new[1]]


def test_a_look_remembers_its_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found once costs one statement afterwards, and no claim looks at jobs to come."""
    for name in "abcde":
        put_many(store, 3, queue=name)
    put_many(store, 100, run_at=NOW + SECOND)
    worker = enlist(store)
    claim(store, worker, 1)
    claims: Any = store._claims  # type: ignore[attr-defined]
    walk = next(iter(claims._walks.values()))
    asked: list[int] = []
    rows = walk._rows
    monkeypatch.setattr(walk, "_rows", lambda *args: asked.append(1) or rows(*args))
    claim(store, worker, 1)
    assert len(asked) == 1
    assert store.count(Filter(states=(State.SCHEDULED,))) == 100


def test_named_queues_jump_over_all_others(store: Store) -> None:
    """DJ-052: a worker of one queue does not walk through hundreds that it does not take."""
    store.insert([a_job(queue=f"other {n}") for n in range(200)])
    wanted, job_id = Wanted(queues=("zoo", "absent")), put(store, queue="zoo")
    assert claimable(store, wanted) == [job_id]
    claims: Any = store._claims  # type: ignore[attr-defined]
    assert len(claims._walks[wanted]._points) <= 4


def test_the_cost_of_an_empty_claim_is_one_statement(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    claims: Any = store._claims  # type: ignore[attr-defined]
    read = claims._database.read
    monkeypatch.setattr(claims._database, "read", lambda work: sent.append(work) or read(work))
    monkeypatch.setattr(claims._database, "run", lambda work, **_: pytest.fail("a transaction"))
    assert store.claim(enlist(store), ANYTHING, 10, clock.utc_now()) == []
    assert len(sent) == 1
