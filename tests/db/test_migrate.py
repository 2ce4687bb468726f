from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from sqlalchemy import Table, func, inspect, make_url, select

from bide.db.engine import Database
from bide.db.migrate import check, downgrade, migrate, revisions, sql, step_sql
from bide.errors import ConnectionLost, DatabaseBusy, DatabaseError, NotMigrated
from bide.i18n.migrations import TEXTS
from bide.jobs.migrations import JOBS
from bide.jobs.tables import tables
from in_child import finish, start
from servers.mariadb import MariaDB


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_the_tables_are_made_once(database: Database) -> None:
    with pytest.raises(NotMigrated, match=r"bide_jobs\* are missing; version .* `bide migrate`"):
        check(database, JOBS)
    assert migrate(database, JOBS)
    assert not migrate(database, JOBS)
    check(database, JOBS)


def test_the_steps_make_exactly_the_columns_that_statements_name(database: Database) -> None:
    migrate(database, JOBS)
    found = inspect(database.engine)
    for table in tables():
        made = {column["name"] for column in found.get_columns(table.name)}
        assert made == set(table.c.keys()), table.name


def test_a_step_that_the_database_refuses_is_told_as_such(database: Database) -> None:
    database.run(lambda c: c.execute("CREATE TABLE bide_jobs (other integer)"))
    with pytest.raises(DatabaseError, match="The database refused the migration") as refused:
        migrate(database, JOBS)
    assert not isinstance(refused.value, ConnectionLost)


def test_a_url_of_mysql_that_names_no_database_is_told_as_such(mysql_url: str) -> None:
    url = make_url(mysql_url).set(database="")
    refuses = pytest.raises(DatabaseError, match="names no database")
    with closing(Database(url)) as database, refuses as refused:
        migrate(database, JOBS)
    assert not isinstance(refused.value, DatabaseBusy)


def test_all_steps_can_be_undone(database: Database) -> None:
    migrate(database, JOBS)
    assert downgrade(database, JOBS)
    assert not downgrade(database, JOBS)
    assert inspect(database.engine).get_table_names() == ["bide_jobs_version"]
    assert migrate(database, JOBS)


def test_tables_have_the_prefix_asked_for(database_url: str) -> None:
    """DJ-099, DJ-100: two applications share one database."""
    names = []
    for prefix in ("bide_", "shop_"):
        database = Database(database_url, table_prefix=prefix)
        migrate(database, JOBS)
        names = inspect(database.engine).get_table_names()
        database.close()
    assert {"bide_jobs", "shop_jobs", "bide_jobs_version", "shop_jobs_version"} <= set(names)


def test_threads_may_migrate_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        worked = list(threads.map(lambda one: migrate(one, JOBS), databases))
    assert sorted(worked) == [False, False, False, True]
    check(databases[0], JOBS)
    for database in databases:
        database.close()


def test_processes_may_migrate_at_once(database: Database) -> None:
    children = [start(lambda: migrate(database, JOBS)) for _ in range(3)]
    worked = [finish(*child) for child in children]
    assert sorted(worked) == [False, False, True]


def test_the_steps_can_be_printed_without_a_database() -> None:
    printed = sql(Database("postgresql://nobody@nowhere.invalid/none"), JOBS)
    assert "CREATE TABLE bide_jobs" in printed
    assert "fillfactor = 70" in printed
    assert (
        "CREATE INDEX bide_jobs_ready ON bide_jobs (queue, priority, pos) WHERE state = 0"
        in printed
    )


def test_the_printed_steps_are_what_runs(database: Database) -> None:
    """Whoever runs them by hand gets tables that work."""
    steps = [part for part in sql(database, JOBS).split(";\n") if part.strip()]
    with database.engine.begin() as connection:
        for step in steps:
            connection.exec_driver_sql(step)
    check(database, JOBS)
    assert not migrate(database, JOBS)


def test_names_are_told_apart_exactly(database: Database) -> None:
    """Not by a collation that takes «Mail», «mail» and «mail » for one queue."""
    migrate(database, JOBS)
    for name in ("mail", "Mail", "mail ", "maïl"):
        database.run(
            lambda connection, name=name: connection.execute(
                "INSERT INTO bide_queues (name) VALUES (:name)", {"name": name}
            )
        )
    assert database.read(lambda c: c.execute("SELECT count(*) FROM bide_queues")) == [(4,)]


def test_each_step_goes_up_and_down_with_data_in_the_tables(database: Database) -> None:
    migrate(database, JOBS)
    with database.engine.begin() as connection:
        for table in tables():
            connection.execute(table.insert().values(_any_row(table)))
    for step in ("0002", "0001"):
        assert downgrade(database, JOBS, step)
    assert migrate(database, JOBS)
    kept = {"bide_jobs", "bide_workers", "bide_attempts", "bide_queues"}
    with database.engine.connect() as connection:
        for table in tables():
            [(rows,)] = connection.execute(select(func.count()).select_from(table))
            assert rows == (table.name in kept), table.name


@pytest.mark.parametrize("scheme", ["mysql", "mariadb"])
def test_a_script_is_run_by_the_client_of_mariadb_whichever_name_the_url_has(
    scheme: str, mysql_url: str, mariadb: MariaDB
) -> None:
    """A URL may say `mysql` of MariaDB; its client cuts at each semicolon unless told not to."""
    database = Database(mysql_url)
    named = Database(f"{scheme}://{mysql_url.partition('://')[2]}")
    written = "".join(sql(named, line) for line in (JOBS, TEXTS))
    client = ("mariadb", "--no-defaults", f"--socket={mariadb.socket()}", "--user=root")
    subprocess.run([*client, str(database.url.database)], input=written, text=True, check=True)
    for line in (JOBS, TEXTS):
        check(database, line)
    text = (
        "INSERT INTO translations (locale, `key`, created_at, updated_at) VALUES ('en', :key, 0, 0)"
    )
    for key in ("a", "A"):
        database.run(lambda c, key=key: c.execute(text, {"key": key}))
    with pytest.raises(DatabaseError, match="Duplicate"):
        database.run(lambda c: c.execute(text, {"key": "a"}))
    assert database.read(lambda c: c.execute("SELECT count(*) FROM bide_text_history")) == [(2,)]
    for step in reversed(revisions(TEXTS)):
        for each in step_sql(TEXTS, step, dialect=scheme, prefix="bide_", undo=True):
            database.run(lambda c, each=each: c.execute(each))
    assert [
        name for (name,) in database.read(lambda c: c.execute("SHOW TABLES LIKE '%text%'"))
    ] == []
    assert database.read(lambda c: c.execute("SHOW COLUMNS FROM translations LIKE 'bide%'")) == []
    database.close()


def _any_row(table: Table) -> dict[str, object]:
    values = {int: 1, float: 1.5, str: "x"}
    moments = {"minute", "at", "run_at", "created_at", "started_at", "heartbeat_at", "ended_at"}
    moments |= {"keep_until"}
    return {
        column.name: _MOMENT if column.name in moments else values[column.type.python_type]
        for column in table.c
        if column.name in moments or column.type.python_type in values
    }


_MOMENT = "2027-01-31 08:00:00.000000"
