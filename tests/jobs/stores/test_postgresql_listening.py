"""Who waits is told, who does not wait costs nothing, and a lost database is waited out."""

from __future__ import annotations

import contextlib
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from bide import clock
from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.errors import ConnectionLost
from bide.jobs.job import Filter
from bide.jobs.migrations import JOBS
from bide.jobs.store import Store, Wakeups, Wanted
from bide.jobs.stores import marks
from bide.jobs.stores.claims import Claims
from bide.jobs.stores.listening import Listening
from bide.jobs.stores.postgresql import PostgreSQLStore
from bide.testing.contract.acting import (
    ANYTHING,
    NOW,
    SECOND,
    a_job,
    claim,
    enlist,
    lease,
    put,
    put_many,
    seconds_since,
)
from servers.postgresql import PostgreSQL
from waiting import wait_until

KIND = "postgresql"


@pytest.fixture
def other(make_store: Callable[[], Store]) -> Store:
    """The store of another process."""
    return make_store()


@pytest.fixture
def ear(postgresql_url: str, store: Store) -> Iterator[psycopg.Connection]:
    """Hears all that is told."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("LISTEN bide_jobs")
        yield connection


def told(ear: psycopg.Connection) -> list[str]:
    ear.execute("SELECT 1")
    return [notification.payload for notification in ear.notifies(timeout=0.05)]


@contextmanager
def waiting(store: Store) -> Iterator[Wakeups]:
    wakeups = store.wakeups()
    try:
        wakeups.wait(0)
        yield wakeups
    finally:
        wakeups.close()


def test_nobody_is_told_while_nobody_waits(store: Store, ear: psycopg.Connection) -> None:
    put(store)
    assert told(ear) == []
    with waiting(store):
        pass
    put(store)
    assert told(ear) == []


def test_a_hint_names_priority_queue_and_the_lowest_place(
    store: Store, other: Store, ear: psycopg.Connection
) -> None:
    with waiting(store):
        other.insert([a_job(queue="a b", priority=-4), a_job(queue="a b", priority=-4), a_job()])
        places = {1: '-4 "a b" 1', 3: '0 "default" 3'}
        assert sorted(told(ear)) == sorted(places.values())


def test_one_transaction_tells_of_a_level_once(
    store: Store, ear: psycopg.Connection, postgresql_url: str
) -> None:
    with waiting(store), psycopg.connect(postgresql_url) as caller:
        for n in range(20):
            store.insert([a_job(queue="ab"[n % 2])], on=caller)
        assert told(ear) == []
        caller.commit()
        assert sorted(told(ear)) == ['0 "a" 1', '0 "b" 2']


def test_scheduled_jobs_are_told_of_when_they_become_ready(
    store: Store, other: Store, ear: psycopg.Connection
) -> None:
    with waiting(store):
        put(other, run_at=NOW + SECOND)
        assert told(ear) == []
        other.promote(NOW + SECOND)
        assert len(told(ear)) == 1


def test_what_became_ready_before_the_wait_ends_it_at_once(store: Store, other: Store) -> None:
    worker = enlist(store)
    assert claim(store, worker) == []
    put(other)
    wakeups = store.wakeups()
    start = clock.monotonic()
    assert wakeups.wait(30)
    assert seconds_since(start) < 10
    assert len(claim(store, worker)) == 1
    assert not wakeups.wait(0)
    wakeups.close()


def test_a_transaction_open_when_the_wait_began_ends_it_with_its_commit(
    store: Store, other: Store, postgresql_url: str
) -> None:
    """It was not told that somebody waits; a later look finds its job."""
    with psycopg.connect(postgresql_url) as caller:
        other.insert([a_job()], on=caller)
        assert claim(store, enlist(store)) == []
        with waiting(store) as wakeups:
            assert not wakeups.wait(0)
            assert woken(wakeups, caller.commit)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each look from zero."""
    made: list[None] = []
    look = Claims.look

    def counted(claims: Claims) -> None:
        made.append(None)
        look(claims)

    monkeypatch.setattr(Claims, "look", counted)
    return made


def hinted(wakeups: Wakeups, act: Callable[[], object]) -> bool:
    """Whether a wait that begins when a hint of `act` is there ends with it."""
    assert isinstance(wakeups, Listening)
    wire = wakeups._wire.get().descriptor()
    act()
    assert select.select([wire], [], [], 20)[0]
    return wakeups.wait(60)


def test_a_claim_behind_a_hint_takes_what_it_was_told_of_and_looks_for_nothing(
    store: Store, other: Store, looks: list[None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "LOOK_EVERY", 0.0)
    monkeypatch.setattr(marks, "SHARE", 0)
    worker = enlist(store)
    assert claim(store, worker) == []
    with waiting(store) as wakeups:
        del looks[:]
        assert hinted(wakeups, lambda: put(other))
        assert len(claim(store, worker)) == 1
        assert looks == []
        assert claim(store, worker) == []
        assert looks


def test_what_was_not_told_of_keeps_its_place_in_the_order(
    store: Store, other: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the hint and the claim an urgent job arrives."""
    monkeypatch.setattr(marks, "CHEAP", 60.0)
    worker = enlist(store)
    assert claim(store, worker) == []
    with waiting(store) as wakeups:
        assert hinted(wakeups, lambda: put(other))
        urgent = put(other, priority=-5)
        assert [row.id for row in claim(store, worker, 1)] == [urgent]


def test_hints_with_a_gap_between_them_are_not_all_that_became_ready(
    store: Store, other: Store, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "CHEAP", 60.0)
    worker, urgent = enlist(store), []
    assert claim(store, worker) == []

    def act() -> None:
        with psycopg.connect(postgresql_url, autocommit=True) as aside:
            aside.execute("ALTER TABLE bide_listeners RENAME COLUMN until TO later")
            aside.execute("ALTER TABLE bide_listeners ADD COLUMN until timestamptz")
            urgent.append(put(other, priority=-5))  # told to nobody
            aside.execute("ALTER TABLE bide_listeners DROP COLUMN until")
            aside.execute("ALTER TABLE bide_listeners RENAME COLUMN later TO until")
        put(other)

    with waiting(store) as wakeups:
        assert hinted(wakeups, act)
        assert [row.id for row in claim(store, worker, 1)] == urgent


def test_jobs_that_no_worker_here_takes_wake_nobody(store: Store, other: Store) -> None:
    worker, wanted = enlist(store), Wanted(queues=("mine",))
    assert store.claim(worker, wanted, 10, NOW) == []
    with waiting(store) as wakeups:
        put_many(other, 5, queue="theirs")
        put(other, queue="theirs")
        assert not wakeups.wait(0.2)
        assert woken(wakeups, lambda: put(other, queue="mine"))


def test_jobs_of_a_paused_queue_wake_nobody_until_it_is_resumed(store: Store, other: Store) -> None:
    worker = enlist(store)
    other.pause("default", NOW)
    put(other)
    assert claim(store, worker) == []
    with waiting(store) as wakeups:
        assert not wakeups.wait(0.1)
        assert woken(wakeups, lambda: other.resume("default"))
    assert len(claim(store, worker)) == 1


def woken(wakeups: Wakeups, act: Callable[[], object]) -> bool:
    """Whether a wait that would last a minute is ended by `act`, done once."""
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(wakeups.wait(60)), daemon=True)
    waiter.start()
    act()
    wait_until(lambda: answers, within=20)
    return answers[0]


@pytest.fixture
def mortal(own_postgresql: PostgreSQL) -> Iterator[Store]:
    """A store on a server that may be stopped."""
    own_postgresql.create_database("jobs")
    database = Database(own_postgresql.url("jobs"))
    migrate(database, JOBS)
    yield PostgreSQLStore(database)
    database.close()


def test_a_wait_outlives_its_server(mortal: Store, own_postgresql: PostgreSQL) -> None:
    with waiting(mortal) as wakeups:
        own_postgresql.stop()
        assert not wakeups.wait(0.3)
        own_postgresql.start()
        other = PostgreSQLStore(Database(own_postgresql.url("jobs")))
        assert woken(wakeups, lambda: put(other))
        other.close()


def test_no_job_is_lost_when_the_server_restarts_in_the_middle(
    mortal: Store, own_postgresql: PostgreSQL
) -> None:
    """Promise 1. An `immediate` stop is a crash of the server."""
    new, done = set(put_many(mortal, 60)), set()
    for turn in range(200):
        if turn == 3:
            own_postgresql.restart("immediate")
        worker = enlist(mortal, f"worker {turn}")
        with contextlib.suppress(ConnectionLost):
            rows = mortal.claim(worker, ANYTHING, 5, NOW)
            done |= mortal.finish(worker, [lease(row) for row in rows], NOW, keep=False)
        mortal.rescue(SECOND * 3600, NOW, max_crashes=9, max_attempts=99, dead=[worker.id])
        if mortal.count(Filter()) == 0:
            break
    assert done == new
