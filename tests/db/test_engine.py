from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bide.db.connection import Connection
from bide.db.engine import Database
from bide.errors import DatabaseError, NotMigrated, SettingsError
from in_child import in_child


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path}/test.db", busy_timeout=5)
    yield database
    database.close()


def make_counter(connection: Connection) -> None:
    connection.execute("CREATE TABLE counter (value INTEGER NOT NULL)")
    connection.execute("INSERT INTO counter VALUES (:value)", {"value": 0})


def count_up(connection: Connection) -> int:
    value = connection.execute("SELECT value FROM counter")[0][0]
    connection.execute("UPDATE counter SET value = :value", {"value": value + 1})
    return int(value) + 1


def value_of(database: Database) -> int:
    return int(database.read(lambda c: c.execute("SELECT value FROM counter"))[0][0])


def test_nothing_is_opened_before_first_use(tmp_path: Path) -> None:
    Database(f"sqlite:///{tmp_path}/new.db")
    assert list(tmp_path.iterdir()) == []


def test_an_error_of_the_work_rolls_back(database: Database) -> None:
    database.run(make_counter)

    def fails(connection: Connection) -> None:
        count_up(connection)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        database.run(fails)
    assert value_of(database) == 0


def test_transactions_of_many_threads_follow_one_another(database: Database) -> None:
    database.run(make_counter)
    threads = [
        threading.Thread(target=lambda: [database.run(count_up) for _ in range(20)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value_of(database) == 80


def test_a_child_makes_its_own_connection(database: Database) -> None:
    """DJ-095, DJ-096."""
    database.run(make_counter)
    assert in_child(lambda: database.run(count_up)) == 1
    assert database.run(count_up) == 2


def test_a_missing_table_says_to_migrate(database: Database) -> None:
    with pytest.raises(NotMigrated, match=r"run `bide migrate`.*no such table: absent"):
        database.read(lambda c: c.execute("SELECT * FROM absent"))


def test_a_refused_statement_is_an_error_of_ours(database: Database) -> None:
    with pytest.raises(DatabaseError, match="near"):
        database.read(lambda c: c.execute("SELEKT 1"))


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(SettingsError, match="name a file"):
        Database("sqlite://").read(lambda c: c.execute("SELECT 1"))


def test_an_unknown_database_is_refused() -> None:
    with pytest.raises(SettingsError, match="names no database that Bide knows"):
        Database("oracle://host/name")


def test_the_watchdog_is_no_thread_at_a_fork(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    count = "SELECT count(*) FROM pg_class"
    database.read(lambda c: c.execute(count))
    assert "bide-watchdog" in {thread.name for thread in threading.enumerate()}
    pids = in_child(lambda: database.read(lambda c: c.execute("SELECT pg_backend_pid()")))
    assert "bide-watchdog" not in {thread.name for thread in threading.enumerate()}
    assert pids != database.read(lambda c: c.execute("SELECT pg_backend_pid()"))
    database.close()


def test_a_given_engine_is_used_and_left_as_it_is(database_url: str) -> None:
    own = Database(database_url)
    given = own.engine
    database = Database(given)
    database.run(make_counter)
    assert database.run(count_up) == 1
    with given.connect() as connection:
        connection.exec_driver_sql("UPDATE counter SET value = 7")
        connection.rollback()
    assert value_of(database) == 1
    assert in_child(lambda: database.run(count_up)) == 2
    assert database.run(count_up) == 3
    own.close()
