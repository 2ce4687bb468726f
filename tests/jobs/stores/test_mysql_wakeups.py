"""Waiting for jobs in MySQL: soon after work, cheap when idle, and never in the way of anything."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bide import clock
from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.errors import ConnectionLost
from bide.jobs.job import Filter
from bide.jobs.migrations import JOBS
from bide.jobs.store import Store, Wanted
from bide.jobs.stores.mysql import MySQLStore
from bide.testing.contract.acting import (
    NOW,
    SECOND,
    a_job,
    claim,
    claim_one,
    enlist,
    finish,
    put,
    rescue_from,
)
from servers.mariadb import MariaDB
from stores import opener
from waiting import wait_until

MAIL = Wanted(queues=("mail",))


@pytest.fixture
def absent_server() -> Iterator[None]:
    """PyMySQL leaves its socket open when nobody listens; it is collected here, and not complained of."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    store = opener("mysql", request)()
    yield store
    store.close()


def test_jobs_of_queues_that_the_process_does_not_take_wake_nobody(store: Store) -> None:
    wakeups, worker = store.wakeups(), enlist(store)
    assert claim(store, worker, wanted=MAIL) == []
    put(store, queue="other")
    assert not wakeups.wait(0.1)
    put(store, queue="mail")
    assert wakeups.wait(10)


def test_a_job_that_stays_is_told_once(store: Store) -> None:
    """One that others hold, or that a claim passes over, must not make a worker spin."""
    wakeups = store.wakeups()
    put(store)
    assert wakeups.wait(10)
    assert not wakeups.wait(0.1)


def test_a_job_stored_between_a_claim_and_the_wait_ends_the_wait(store: Store) -> None:
    wakeups, worker = store.wakeups(), enlist(store)
    assert not wakeups.wait(0)
    assert claim(store, worker) == []
    put(store)
    assert wakeups.wait(10)


def test_a_job_given_back_or_rescued_ends_the_wait(store: Store) -> None:
    wakeups, worker = store.wakeups(), enlist(store)
    put(store)
    row = claim_one(store, worker)
    assert not wakeups.wait(0)
    store.release(worker, [(row.id, row.lease)], NOW)
    assert wakeups.wait(10)
    claim_one(store, worker)
    assert not wakeups.wait(0)
    rescue_from(store, worker)
    assert wakeups.wait(10)


def test_a_queue_that_goes_on_ends_the_wait(store: Store) -> None:
    wakeups = store.wakeups()
    store.pause("mail", NOW)
    put(store, queue="mail")
    assert not wakeups.wait(0.1)
    store.resume("mail")
    assert wakeups.wait(10)


def test_a_job_that_comes_due_ends_the_wait(store: Store) -> None:
    now = clock.utc_now()
    store.insert([a_job(created_at=now - SECOND, run_at=now + SECOND / 5)])
    assert store.wakeups().wait(20)
    [row] = claim(store, enlist(store), now=clock.utc_now())
    assert row.run_at == now + SECOND / 5


def test_a_waiter_with_work_looks_often_and_an_idle_one_seldom(store: Store) -> None:
    wakeups: Any = store.wakeups()
    put(store)
    assert wakeups.wait(10)
    assert not wakeups.wait(0)
    wakeups._took = 0.0
    after_work = wakeups._pause()
    wakeups._idle_since -= 60
    when_idle = wakeups._pause()
    assert after_work <= 0.05 < when_idle <= 0.25
    wakeups._took = 0.004
    assert wakeups._pause() == pytest.approx(0.4)
    wakeups._took = 5.0
    assert wakeups._pause() == 1.0


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
@pytest.mark.usefixtures("absent_server")
def test_a_lost_database_is_slept_over_and_a_descriptor_still_heard(own_mariadb: MariaDB) -> None:
    store = _fresh_store(own_mariadb)
    wakeups = store.wakeups()
    reader, writer = os.pipe()
    own_mariadb.stop()
    wakeups.wait(0.1)
    assert not wakeups.wait(0.1)
    os.write(writer, b"!")
    assert not wakeups.wait(20, [reader])
    with pytest.raises(ConnectionLost):
        store.count(Filter())
    waiter = threading.Thread(target=wakeups.wait, args=(40,), daemon=True)
    waiter.start()
    own_mariadb.start()
    put(store)
    wait_until(lambda: not waiter.is_alive(), within=30)
    store.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
@pytest.mark.usefixtures("absent_server")
def test_a_restarted_server_costs_nothing_but_the_connection(own_mariadb: MariaDB) -> None:
    """Promise 1: what is safe to repeat is repeated, on a new connection."""
    store = _fresh_store(own_mariadb)
    worker = enlist(store)
    job = a_job()
    [first] = store.insert([job])
    own_mariadb.restart()
    assert store.insert([job]) == [first]
    own_mariadb.restart()
    [row] = claim(store, worker)
    own_mariadb.restart()
    assert store.heartbeat(worker)
    own_mariadb.kill()
    own_mariadb.start()
    finished = _until_it_is_done(lambda: finish(store, worker, row))
    assert finished == {first}
    assert store.count(Filter()) == 0
    store.close()


def _until_it_is_done(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except ConnectionLost:
        return act()


def _fresh_store(server: MariaDB) -> Store:
    server.create_database("own")
    database = Database(server.url("own"))
    migrate(database, JOBS)
    return MySQLStore(database)
