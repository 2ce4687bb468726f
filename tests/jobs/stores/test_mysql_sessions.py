"""Sessions of MySQL: ours are strict and in UTC; the application's are used as they are, and safely."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine.url import make_url

from bide.db.engine import Database
from bide.errors import BideError
from bide.jobs.job import Filter
from bide.jobs.store import Store
from bide.jobs.stores.mysql import MySQLStore
from bide.testing.contract.acting import NOW, SECOND, a_job, claimable, present, put

KIND = "mysql"
SLOPPY = "SET SESSION sql_mode = '', time_zone = '+05:45'"


@pytest.fixture
def sloppy(mysql_url: str) -> Iterator[Any]:
    """A connection of the application that lets the server cut what does not fit."""
    url = make_url(mysql_url)
    connection = pymysql.connect(
        unix_socket=str(url.query["unix_socket"]),
        user=url.username,
        database=url.database,
        charset="utf8mb3",
        init_command=SLOPPY,
    )
    yield connection
    connection.close()


def asked(connection: Any, question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def test_our_sessions_are_strict_in_utc_and_read_what_is_committed(mysql_url: str) -> None:
    """DJ-522."""
    database = Database(mysql_url)
    [[mode, zone, level]] = database.read(
        lambda c: c.execute("SELECT @@sql_mode, @@time_zone, @@tx_isolation")
    )
    database.close()
    assert "STRICT_ALL_TABLES" in mode
    assert (zone, level) == ("+00:00", "READ-COMMITTED")


def test_a_caller_without_strict_mode_cannot_store_a_cut_job(store: Store, sloppy: Any) -> None:
    """DJ-522: its connection knows no character of four bytes; the server would cut there."""
    with pytest.raises(BideError):
        store.insert([a_job(payload='["before 😀 after"]')], on=sloppy)
    sloppy.commit()
    assert store.count(Filter()) == 0


def test_a_caller_keeps_its_own_mode(store: Store, sloppy: Any) -> None:
    """DJ-522."""
    with pytest.raises(BideError):
        store.insert([a_job(payload="😀")], on=sloppy)
    [job_id] = store.insert([a_job(payload="ä")], on=sloppy)
    assert asked(sloppy, "SELECT @@sql_mode") == ""
    sloppy.commit()
    assert present(store, job_id).payload == "ä"


def test_the_zone_of_the_callers_session_changes_no_moment(store: Store, sloppy: Any) -> None:
    """DJ-034, DJ-092..094."""
    earlier = put(store)
    [job_id] = store.insert([a_job(run_at=NOW)], on=sloppy)
    [later] = store.insert([a_job(run_at=NOW + SECOND)], on=sloppy)
    sloppy.commit()
    assert present(store, job_id).run_at == NOW
    assert claimable(store) == [earlier, job_id]
    assert present(store, later).run_at == NOW + SECOND


def test_a_key_committed_meanwhile_is_found_from_an_older_snapshot(
    store: Store, mysql_url: str
) -> None:
    """The caller reads repeatably, and sees nothing that others stored since it began."""
    url, job = make_url(mysql_url), a_job()
    connection = pymysql.connect(
        unix_socket=str(url.query["unix_socket"]), user=url.username, database=url.database
    )
    assert asked(connection, "SELECT COUNT(*) FROM bide_jobs") == 0
    [first] = store.insert([job])
    new = store.insert([a_job(), job], on=connection)
    connection.commit()
    connection.close()
    assert new[1] == first
    assert store.count(Filter()) == 2


def test_an_engine_of_the_application_serves_whatever_its_sessions_are(
    make_store: Callable[[], Store], mysql_url: str
) -> None:
    """DJ-522."""
    make_store().close()
    engine: Engine = create_engine(
        make_url(mysql_url).set(drivername="mysql+pymysql"), connect_args={"init_command": SLOPPY}
    )
    store = MySQLStore(Database(engine))
    new = [put(store), *store.insert([a_job(run_at=NOW + SECOND), a_job()])]
    assert claimable(store, now=NOW + SECOND) == [new[0], new[2], new[1]]
    store.close()
    engine.dispose()


@pytest.mark.parametrize("field", ["name", "queue", "locale"])
def test_a_name_that_is_too_long_is_refused_with_its_length(store: Store, field: str) -> None:
    """DJ-522."""
    with pytest.raises(BideError, match=f"{field} .* has 256 characters; at most 255"):
        store.insert([a_job(), a_job(**{field: "ä" * 256})])
    assert store.count(Filter()) == 0
    assert store.insert([a_job(**{field: "ä" * 255})])
