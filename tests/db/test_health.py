"""What the doctor finds in real databases that are in a bad state."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy

from bide import clock
from bide.db import dialects, places
from bide.db.engine import Database
from bide.db.health.examine import examine
from bide.db.health.plan import Plan
from bide.db.migrate import downgrade, migrate
from bide.forks.findings import ERROR, OK, WARNING, Finding
from bide.jobs.migrations import JOBS
from servers import postgresql as postgres
from servers.pgbouncer import pooled
from servers.server import free_port
from waiting import wait_until

NOW = Plan(old=0.0, dead_rows=1000)


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


def about(found: list[Finding], subject: str) -> list[Finding]:
    return [each for each in found if each.subject == subject]


def one(found: list[Finding], subject: str) -> Finding:
    [finding] = about(found, subject)
    return finding


def test_a_migrated_database_has_no_errors(database_url: str) -> None:
    with opened(database_url) as database:
        migrate(database, JOBS)
        found = examine(database, [JOBS])
    assert [each for each in found if each.level == ERROR] == []
    assert "the newest" in one(found, "tables").text


def test_a_database_without_tables_is_an_error_unless_they_are_optional(
    postgresql_url: str,
) -> None:
    with opened(postgresql_url) as database:
        needed = one(examine(database, [JOBS]), "tables")
        optional = one(examine(database, [], [JOBS]), "tables")
    assert (needed.level, needed.advice) == (ERROR, "run `bide migrate`")
    assert "bide_jobs* are not there" in needed.text
    assert optional.level == OK


def test_old_tables_are_an_error_with_both_versions(postgresql_url: str) -> None:
    with opened(postgresql_url) as database:
        migrate(database, JOBS)
        downgrade(database, JOBS, "0001")
        found = one(examine(database, [], [JOBS]), "tables")
    assert found.level == ERROR
    assert "at version 0001; version 00" in found.text


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_a_server_that_is_away_is_one_error_with_the_address(scheme: str) -> None:
    with opened(f"{scheme}://somebody:secret@127.0.0.1:{free_port()}/shop") as database:
        [found] = examine(database, [JOBS])
    assert (found.level, found.subject) == (ERROR, "database")
    assert "127.0.0.1" in found.text
    assert "secret" not in found.text


@pytest.mark.parametrize(("ahead", "level"), [(0.0, OK), (5.0, WARNING), (60.0, ERROR)])
@pytest.mark.parametrize("kind", ["postgresql", "mysql"])
def test_a_clock_that_differs_is_told_in_seconds(
    kind: str, ahead: float, level: str, request: pytest.FixtureRequest
) -> None:
    with opened(request.getfixturevalue(f"{kind}_url")) as database:
        assert database.dialect
        clock.set_wall(lambda: datetime.now(UTC) - timedelta(seconds=ahead))
        try:
            found = one(examine(database, []), "clock")
        finally:
            clock.set_wall(None)
    assert found.level == level
    told = re.search(r"by ([+-][0-9.]+) s", found.text)
    assert not ahead or (told and float(told[1]) == pytest.approx(ahead, abs=1.0))


# PostgreSQL


def leave_dead_rows(database: Database) -> None:
    """Rows that some snapshot may still see, and statistics that know of them."""
    migrate(database, JOBS)
    with database.engine.connect() as connection:
        connection.execute(sqlalchemy.text(
            "INSERT INTO bide_queues (name) SELECT 'q' || n FROM generate_series(1, 5000) AS n"
        ))  # fmt: skip
        connection.execute(sqlalchemy.text("DELETE FROM bide_queues"))
        connection.commit()
        connection.execute(sqlalchemy.text("SELECT pg_stat_clear_snapshot()"))

    def counted() -> bool:
        asked = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'bide_queues'"
        return bool(database.read(lambda c: c.execute(asked))[0][0] >= 5000)

    wait_until(counted, within=20)


def test_an_old_snapshot_is_named_with_process_application_and_query(postgresql_url: str) -> None:
    with opened(postgresql_url) as database, psycopg.connect(postgresql_url) as holder:
        migrate(database, JOBS)
        holder.execute("SET application_name = 'nightly report'")
        holder.commit()
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT count(*) FROM bide_jobs")
        leave_dead_rows(database)
        found = about(examine(database, [], plan=NOW), "old snapshots")
        young = one(examine(database, [], plan=Plan(dead_rows=1000)), "old snapshots")
        few = one(examine(database, [], plan=Plan(old=0.0)), "old snapshots")
        number = holder.info.backend_pid
    [ours] = [each for each in found if f"session {number} " in each.text]
    assert ours.level == WARNING
    assert "nightly report" in ours.text
    assert "SELECT count(*) FROM bide_jobs" in ours.text
    assert "dead rows of our tables" in ours.text
    assert (young.level, few.level) == (OK, OK)


def with_settings(monkeypatch: pytest.MonkeyPatch, **settings: str) -> postgres.PostgreSQL:
    for name, value in settings.items():
        monkeypatch.setitem(postgres.FAST, name, value)
    return postgres.PostgreSQL.new()


@pytest.fixture
def replicated(
    monkeypatch: pytest.MonkeyPatch, postgresql: postgres.PostgreSQL
) -> Iterator[postgres.PostgreSQL]:
    """A server that may have standbys and prepared transactions."""
    server = with_settings(
        monkeypatch, wal_level="replica", max_wal_senders="4", max_prepared_transactions="4"
    )
    yield server
    server.release()


def test_prepared_transactions_and_slots_that_hold_rows_are_named(
    replicated: postgres.PostgreSQL,
) -> None:
    replicated.create_database("shop")
    with opened(replicated.url("shop")) as database:
        migrate(database, JOBS)
        with psycopg.connect(replicated.url("shop")) as holder:
            holder.execute("INSERT INTO bide_queues (name) VALUES ('mine')")
            holder.execute("PREPARE TRANSACTION 'forgotten'")
        leave_dead_rows(database)
        found = about(examine(database, [], plan=NOW), "old snapshots")
        with replicated.connect("shop") as owner:
            owner.execute("ROLLBACK PREPARED 'forgotten'")
    assert any("prepared transaction forgotten" in each.text for each in found)


def test_asynchronous_standbys_are_a_warning_with_their_names(
    replicated: postgres.PostgreSQL, tmp_path: Path
) -> None:
    found = postgres.binaries()
    assert found is not None
    if not (found / "pg_receivewal").exists():
        pytest.skip("this PostgreSQL has no pg_receivewal to stand in for a standby")
    directory = tmp_path / "wal"
    directory.mkdir()
    address = replicated.url("postgres")
    standby = subprocess.Popen([found / "pg_receivewal", "-d", address, "-D", directory])
    try:
        with opened(address) as database:
            told = wait_until(lambda: about(examine(database, []), "standbys"), within=20)
    finally:
        standby.terminate()
        standby.wait(10)
    assert told[0].level == WARNING
    assert "pg_receivewal at this machine (async)" in told[0].text
    assert "synchronous_standby_names" in told[0].advice


@pytest.mark.parametrize(
    ("mode", "level", "words"),
    [("transaction", WARNING, "transaction mode"), ("session", OK, "session mode")],
)
def test_the_mode_of_pgbouncer_is_found_out(
    mode: str, level: str, words: str, postgresql: Any, tmp_path: Path
) -> None:
    with pooled(mode, postgresql, tmp_path) as url, opened(url) as database:
        found = one(examine(database, []), "pooler")
        again = one(examine(database, []), "pooler")
    assert found == again
    assert found.level == level
    assert words in found.text


def test_a_direct_connection_has_no_pooler(postgresql_url: str) -> None:
    with opened(postgresql_url) as database:
        assert "none" in one(examine(database, []), "pooler").text


def test_more_workers_than_the_server_takes_are_a_warning(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        pytest.skip("a file takes any number")
    with opened(database_url) as database:
        found = one(examine(database, [], plan=Plan(processes=500)), "connections of the server")
    assert found.level == WARNING
    assert "500 workers need up to 1500" in found.text


# MySQL and MariaDB


def test_a_server_that_is_not_strict_is_told_and_our_sessions_are(
    own_mariadb: Any,
) -> None:
    """DJ-522."""
    own_mariadb.create_database("shop")
    own_mariadb.execute("SET GLOBAL sql_mode = ''")
    own_mariadb.execute("SET GLOBAL tx_isolation = 'SERIALIZABLE'")
    with opened(own_mariadb.url("shop")) as database:
        found = examine(database, [])
    assert one(found, "strict mode").level == WARNING
    assert "not strict by default" in one(found, "strict mode").text
    assert one(found, "isolation").level == WARNING
    assert (
        one(found, "isolation").text == "READ-COMMITTED in Bide's sessions, SERIALIZABLE by default"
    )


def test_an_engine_without_strict_mode_is_an_error(own_mariadb: Any) -> None:
    own_mariadb.create_database("shop")
    url = sqlalchemy.make_url(own_mariadb.url("shop")).set(drivername="mysql+pymysql")
    engine = sqlalchemy.create_engine(url, connect_args={"init_command": "SET sql_mode = ''"})
    found = one(examine(Database(engine), []), "strict mode")
    engine.dispose()
    assert found.level == ERROR
    assert isinstance(pymysql.VERSION, tuple)


# SQLite


def test_a_file_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    with opened(f"sqlite:///{tmp_path}/shop.db") as database:
        [found] = examine(database, [JOBS])
    assert (found.level, "bide migrate" in found.advice) == (ERROR, True)
    assert list(tmp_path.iterdir()) == []


def test_a_network_disk_is_an_error(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(sqlite_url) as database:
        migrate(database, JOBS)
    monkeypatch.setattr(places, "_file_system", lambda _: 0x6969)
    with opened(sqlite_url) as database:
        [found] = examine(database, [JOBS])
    assert found.level == ERROR
    assert "NFS" in found.text


@pytest.mark.parametrize(("processes", "level"), [(1, OK), (2, WARNING)])
def test_an_old_sqlite_is_a_warning_with_several_processes(
    processes: int, level: str, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(dialects.FEATURES, "safe_wal_reset", {"SQLite": (99, 1, 2)})
    with opened(sqlite_url) as database:
        migrate(database, JOBS)
        found = one(examine(database, [], plan=Plan(processes=processes)), "version")
    assert found.level == level
    assert "99.1.2" in found.text


def test_a_file_that_everybody_may_write_is_a_warning(sqlite_url: str, tmp_path: Path) -> None:
    with opened(sqlite_url) as database:
        migrate(database, JOBS)
        (tmp_path / "test.db").chmod(0o666)
        found = one(examine(database, []), "permissions")
    assert (found.level, "chmod o-w" in found.advice) == (WARNING, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_log_of_another_user_beside_the_file_is_a_warning(
    sqlite_url: str, tmp_path: Path
) -> None:
    with opened(sqlite_url) as database:
        migrate(database, JOBS)
        os.chown(tmp_path / "test.db-wal", 12345, -1)
        found = one(examine(database, []), "permissions")
    assert found.level == WARNING
    assert "belongs to user 12345" in found.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_file_that_cannot_be_written_is_an_error(sqlite_url: str, tmp_path: Path) -> None:
    with opened(sqlite_url) as database:
        migrate(database, JOBS)
    (tmp_path / "test.db").chmod(0o444)
    with opened(sqlite_url) as database:
        assert one(examine(database, []), "permissions").level == ERROR


def test_the_write_ahead_log_is_looked_at(sqlite_url: str, tmp_path: Path) -> None:
    with opened(sqlite_url) as database:
        migrate(database, JOBS)
        assert one(examine(database, []), "journal").level == OK


def test_what_may_not_be_looked_at_is_a_warning_and_the_rest_is_told(postgresql_url: str) -> None:
    with opened(postgresql_url) as database:
        database.run(lambda c: c.execute("CREATE SCHEMA away"))
        found = examine(database, [], plan=Plan(old=float("nan")))
    assert one(found, "old snapshots").level == WARNING
    assert "could not be looked at" in one(found, "old snapshots").text
    assert about(found, "pooler")
