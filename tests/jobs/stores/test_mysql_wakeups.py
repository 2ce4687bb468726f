"""Waiting for jobs in MySQL: soon after work, cheap when idle, and never in the way of anything."""

from __future__ import annotations

import gc
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest
from sqlalchemy.engine.url import make_url

from bide import clock
from bide.db.apart import MySQLClient, PyMySQL
from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.db.statements import Statement
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
from servers.mariadb import MariaDB, by_driver
from waiting import wait_until

KIND = "mysql"
MAIL = Wanted(queues=("mail",))
pytestmark = pytest.mark.usefixtures("mysql_driver")


@pytest.fixture
def mysql_url(mysql_url: str, mysql_driver: str) -> str:
    return by_driver(mysql_url, mysql_driver)


@pytest.fixture
def absent_server() -> Iterator[None]:
    """PyMySQL leaves its socket open when nobody listens; it is collected here, and not complained of."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def wakeups(store: Store) -> Iterator[Any]:
    """One waiter."""
    with closing(store.wakeups()) as wakeups:
        yield wakeups


def test_jobs_of_queues_that_the_process_does_not_take_wake_nobody(
    store: Store, wakeups: Any
) -> None:
    worker = enlist(store)
    assert claim(store, worker, wanted=MAIL) == []
    put(store, queue="other")
    assert not wakeups.wait(0.1)
    put(store, queue="mail")
    assert wakeups.wait(10)


def test_a_job_that_stays_is_told_once(store: Store, wakeups: Any) -> None:
    """One that others hold, or that a claim passes over, must not make a worker spin."""
    put(store)
    assert wakeups.wait(10)
    assert not wakeups.wait(0.1)


def test_a_job_stored_between_a_claim_and_the_wait_ends_the_wait(
    store: Store, wakeups: Any
) -> None:
    worker = enlist(store)
    assert not wakeups.wait(0)
    assert claim(store, worker) == []
    put(store)
    assert wakeups.wait(10)


def test_a_job_given_back_or_rescued_ends_the_wait(store: Store, wakeups: Any) -> None:
    worker = enlist(store)
    put(store)
    row = claim_one(store, worker)
    assert not wakeups.wait(0)
    store.release(worker, [(row.id, row.lease)], NOW)
    assert wakeups.wait(10)
    claim_one(store, worker)
    assert not wakeups.wait(0)
    rescue_from(store, worker)
    assert wakeups.wait(10)


def test_a_queue_that_goes_on_ends_the_wait(store: Store, wakeups: Any) -> None:
    store.pause("mail", NOW)
    put(store, queue="mail")
    assert not wakeups.wait(0.1)
    store.resume("mail")
    assert wakeups.wait(10)


def test_a_job_that_comes_due_ends_the_wait(store: Store, wakeups: Any) -> None:
    now = clock.utc_now()
    store.insert([a_job(created_at=now - SECOND, run_at=now + SECOND / 5)])
    assert wakeups.wait(20)
    [row] = claim(store, enlist(store), now=clock.utc_now())
    assert row.run_at == now + SECOND / 5


def test_waiters_that_are_idle_for_long_share_the_looks(store: Store, wakeups: Any) -> None:
    enlist(store)
    assert not wakeups.wait(0)
    alone = wakeups._pauses()[0]
    for number in range(4):
        enlist(store, f"worker {number}")
    wakeups._counted_at -= 60
    assert not wakeups._news()
    after_work = wakeups._pauses()[0]
    wakeups._idle_since -= 60
    when_idle = wakeups._pauses()[0]
    assert alone <= 0.0375
    assert after_work <= 0.0375 < 0.1 <= when_idle <= 0.19
    wakeups._workers = 100
    assert wakeups._pauses()[0] <= 0.3125


def test_looks_from_here_are_as_seldom_as_they_are_dear(store: Store, wakeups: Any) -> None:
    wakeups._took, wakeups._used = 0.004, 0.00035
    assert wakeups._pauses()[1] == pytest.approx(0.1)
    wakeups._took = 0.04
    assert wakeups._pauses()[1] == pytest.approx(0.4)
    wakeups._took = 5.0
    assert wakeups._pauses()[1] == 1.0


def test_the_server_looks_while_this_process_sleeps(
    store: Store, wakeups: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not wakeups.wait(0.1)
    assert wakeups._lookout.get().until is not None
    glimpses = _counted(wakeups, monkeypatch)
    waiter = threading.Thread(target=wakeups.wait, args=(20,), daemon=True)
    waiter.start()
    waiter.join(0.3)
    put(store)
    wait_until(lambda: not waiter.is_alive(), within=10)
    assert len(glimpses) <= 2  # one when the statement was over, one when it saw the job


def test_what_is_not_committed_wakes_when_it_is_and_does_not_make_a_waiter_spin(
    store: Store, wakeups: Any, mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(mysql_url)
    application = pymysql.connect(
        unix_socket=str(url.query["unix_socket"]), user=url.username, database=url.database
    )
    assert not wakeups.wait(0)
    glimpses = _counted(wakeups, monkeypatch)
    store.insert([a_job()], on=application)
    assert not wakeups.wait(0.5)
    assert len(glimpses) <= 12
    wait_until(lambda: not wakeups.wait(0.05) and len(glimpses) >= 2)
    application.commit()
    assert wakeups.wait(10)
    application.close()


def test_a_due_job_that_stays_is_told_once(
    store: Store, wakeups: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.utc_now()
    store.insert([a_job(created_at=now - 2 * SECOND, run_at=now - SECOND)])
    assert wakeups.wait(10)
    glimpses = _counted(wakeups, monkeypatch)
    assert not wakeups.wait(0.3)
    assert len(glimpses) <= 2


def test_a_server_that_answers_at_once_does_not_make_a_waiter_spin(
    store: Store, wakeups: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever some server makes of the statement: it is sent once a pause at most."""
    at_once = Statement("SELECT 1, 0", "watch")
    monkeypatch.setattr(wakeups._claims, "watch", lambda *_: (at_once, {}))
    assert not wakeups.wait(0)
    glimpses = _counted(wakeups, monkeypatch)
    assert not wakeups.wait(0.3)
    assert len(glimpses) <= 25
    put(store)
    assert wakeups.wait(10)


@pytest.mark.parametrize("what", ["CONNECTION", "QUERY"])
def test_a_lookout_that_was_killed_is_replaced(
    what: str, store: Store, wakeups: Any, mysql_url: str
) -> None:
    assert not wakeups.wait(0.1)
    lookout = wakeups._lookout.get()
    killed = lookout._connection
    database = Database(mysql_url)
    database.read(lambda c: c.execute(f"KILL {what} {killed.raw.thread_id()}"))
    database.close()
    wait_until(
        lambda: not wakeups.wait(0.05) and lookout._connection not in (None, killed), within=10
    )
    assert lookout.until is not None
    put(store)
    assert wakeups.wait(10)


def test_a_worker_that_ends_leaves_nothing_in_the_server(
    store: Store, wakeups: Any, mariadb: MariaDB
) -> None:
    assert not wakeups.wait(0.1)
    number = wakeups._lookout.get()._connection.raw.thread_id()
    there = "SELECT 1 FROM information_schema.processlist WHERE id = %s"
    assert mariadb.execute(there, number)
    wakeups.close()
    wait_until(lambda: not mariadb.execute(there, number), within=10)


def test_an_answer_that_does_not_come_is_given_up(store: Store, wakeups: Any) -> None:
    """A frozen server, or a wire that was cut, tells nothing."""
    assert not wakeups.wait(0.1)
    lookout = wakeups._lookout.get()
    lookout._until = clock.monotonic()
    silent = lookout._connection
    put(store)
    assert wakeups.wait(10)
    assert lookout._connection is not silent


def test_where_the_driver_cannot_wait_it_looks_from_here(
    store: Store, wakeups: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for way in (PyMySQL, MySQLClient):
        monkeypatch.setattr(way, "needs", ("what_it_has_not",))
    assert not wakeups.wait(0.1)
    assert wakeups._lookout.get().until is None
    put(store)
    assert wakeups.wait(10)


def _counted(wakeups: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with every glimpse from here."""
    counted: list[int] = []
    claims = wakeups._claims
    glimpse = claims.glimpse
    monkeypatch.setattr(claims, "glimpse", lambda *args: counted.append(1) or glimpse(*args))
    return counted


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
@pytest.mark.usefixtures("absent_server")
def test_a_lost_database_is_slept_over_and_a_descriptor_still_heard(
    own_mariadb: MariaDB, mysql_driver: str
) -> None:
    store = _fresh_store(own_mariadb, mysql_driver)
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
def test_a_restarted_server_costs_nothing_but_the_connection(
    own_mariadb: MariaDB, mysql_driver: str
) -> None:
    """Promise 1: what is safe to repeat is repeated, on a new connection."""
    store = _fresh_store(own_mariadb, mysql_driver)
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


def _fresh_store(server: MariaDB, driver: str) -> Store:
    server.create_database("own")
    database = Database(by_driver(server.url("own"), driver))
    migrate(database, JOBS)
    return MySQLStore(database)
