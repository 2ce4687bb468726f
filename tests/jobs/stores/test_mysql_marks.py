"""Marks of claims in MySQL: they save the way over jobs that are gone, and hide nothing for long."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pymysql
import pytest
from sqlalchemy.engine.url import make_url

from bide.jobs.job import JobRow
from bide.jobs.store import Store, Wanted
from bide.jobs.stores.shelf import covers
from bide.testing.contract.acting import (
    NOW,
    a_job,
    claim,
    claimable,
    enlist,
    ids,
    lease,
    put,
    put_many,
    rescue_from,
)

KIND = "mysql"


@pytest.fixture
def application(mysql_url: str) -> Iterator[Any]:
    """A transaction of somebody else."""
    url = make_url(mysql_url)
    connection = pymysql.connect(
        unix_socket=str(url.query["unix_socket"]), user=url.username, database=url.database
    )
    yield connection
    connection.close()


def _late(store: Store, application: Any) -> tuple[int, list[int]]:
    """A job that is not committed yet, and five behind it of which two are claimed: a mark is set."""
    [late] = store.insert([a_job()], on=application)
    others = put_many(store, 5)
    assert ids(claim(store, enlist(store), 2)) == others[:2]
    return late, others[2:]


def _walk(store: Store) -> Any:
    claims: Any = store._claims  # type: ignore[attr-defined]
    return next(iter(claims._walks.values()))


def test_what_is_committed_late_is_found_by_the_claim_after_a_short_one(
    store: Store, application: Any
) -> None:
    late, others = _late(store, application)
    application.commit()
    worker = enlist(store)
    assert ids(claim(store, worker, 4)) == others
    assert ids(claim(store, worker, 4)) == [late]


def test_what_is_committed_late_is_found_by_a_claim_that_finds_nothing_else(
    store: Store, application: Any
) -> None:
    late, others = _late(store, application)
    worker = enlist(store)
    assert ids(claim(store, worker, 3)) == others
    application.commit()
    assert ids(claim(store, worker, 1)) == [late]


def test_a_mark_is_not_believed_for_ever(store: Store, application: Any) -> None:
    """However busy a level is, what was committed late waits half a second, or what looks allow."""
    late, others = _late(store, application)
    application.commit()
    worker, walk = enlist(store), _walk(store)
    assert ids(claim(store, worker, 1)) == others[:1]
    walk._looked_at -= 10
    assert ids(claim(store, worker, 1)) == [late]
    walk._looked_at -= 10
    walk._cost = 1.0
    [again] = store.insert([a_job()], on=application)
    assert ids(claim(store, worker, 1)) == others[1:2]
    put(store)
    application.commit()
    assert ids(claim(store, worker, 1)) == others[2:3]
    walk._looked_at -= 30
    assert ids(claim(store, worker, 1)) == [again]


@pytest.mark.parametrize("place", [("default", -5), ("a queue before", -1), ("zoo", -1)])
def test_levels_that_come_into_use_beside_a_mark_are_seen_at_once(
    store: Store, place: tuple[str, int]
) -> None:
    """DJ-043: the order of priority holds whatever is remembered."""
    first = put_many(store, 4, priority=0)
    second = put_many(store, 4, priority=7)
    worker = enlist(store)
    assert ids(claim(store, worker, 2)) == first[:2]
    new = put(store, queue=place[0], priority=place[1])
    assert [*ids(claim(store, worker, 1)), *ids(claim(store, worker, 1))] == [new, first[2]]
    between = put(store, priority=3)
    assert ids(claim(store, worker, 4)) == [first[3], between, *second[:2]]
    behind = put(store, queue="zoo", priority=9)
    assert ids(claim(store, worker, 2)) == second[2:]
    assert ids(claim(store, worker, 2)) == [behind]


def test_a_paused_queue_with_a_mark_is_left_alone(store: Store) -> None:
    jobs = put_many(store, 6, queue="mail")
    worker = enlist(store)
    assert ids(claim(store, worker, 2)) == jobs[:2]
    store.pause("mail", NOW)
    assert claimable(store) == []
    store.resume("mail")
    assert ids(claim(store, worker, 9)) == jobs[2:]


def test_what_goes_back_is_claimed_again(store: Store) -> None:
    """Released and rescued jobs become ready behind the others, whatever the marks say."""
    jobs = put_many(store, 4)
    worker, other = enlist(store), enlist(store)
    [first] = claim(store, worker, 1)
    claim(store, other, 1)
    store.release(worker, [lease(first)], NOW)
    rescue_from(store, other)
    assert ids(claim(store, enlist(store), 4)) == [*jobs[2:], jobs[0], jobs[1]]


def test_of_a_report_in_which_a_lease_is_lost_the_rest_is_done(store: Store) -> None:
    """All or none by one statement; then each by itself."""
    worker, other = enlist(store), enlist(store)
    put_many(store, 3)
    rows = claim(store, worker, 3)
    store.release(worker, [lease(rows[1])], NOW)
    claim(store, other, 1)
    done = store.finish(worker, [lease(row) for row in rows], NOW, keep=False)
    assert done == {rows[0].id, rows[2].id}
    assert store.get(rows[0].id) is None
    assert store.get(rows[1].id) is not None


WANTED = (
    Wanted(),
    Wanted(queues=("a", "zoo")),
    Wanted(except_queues=("b",)),
    Wanted(min_priority=0),
    Wanted(max_priority=3),
    Wanted(queues=("default",), min_priority=-1),
)


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_remembered_a_claim_takes_what_is_first_in_the_table(
    store: Store, seed: int
) -> None:
    """DJ-043: by priority, then in the order of becoming ready, of the queues that go on."""
    chance, worker = random.Random(seed), enlist(store)
    paused: set[str] = set()
    held: list[JobRow] = []

    def enqueue() -> None:
        for _ in range(chance.randint(1, 3)):
            place = {"queue": chance.choice(["a", "b", "default", "zoo"])}
            put_many(store, chance.randint(1, 10), priority=chance.choice([-5, 0, 0, 7]), **place)

    def take() -> None:
        wanted, limit = chance.choice(WANTED), chance.choice([1, 1, 2, 5, 20])
        expected = _first(store, wanted, paused)[:limit]
        rows = store.claim(worker, wanted, limit, NOW)
        assert ids(rows) == expected
        held.extend(rows)

    def give_back() -> None:
        some = [held.pop() for _ in range(chance.randint(0, len(held)))]
        store.release(worker, [lease(row) for row in some], NOW)

    def pause_or_go_on() -> None:
        if paused:
            store.resume(paused.pop())
        else:
            paused.add(chance.choice("ab"))
            store.pause(*paused, NOW)

    deeds = [enqueue, take, take, take, take, take, give_back, pause_or_go_on]
    for _ in range(80):
        chance.choice(deeds)()


def _first(store: Store, wanted: Wanted, paused: set[str]) -> list[int]:
    """What the table holds ready for such a worker, in the order of the claim."""
    database: Any = store.database  # type: ignore[attr-defined]
    question = "SELECT priority, pos, id, queue FROM bide_jobs WHERE state = 0"
    rows = database.read(lambda connection: connection.execute(question))
    taken = [row for row in rows if row[3] not in paused and covers(wanted, row[3], row[0])]
    return [row[2] for row in sorted(taken)]
