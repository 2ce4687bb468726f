"""A migration that is killed, wherever it is, goes on when it is run again."""

from __future__ import annotations

import os
import re
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, inspect, text

from bide.db import alone
from bide.db.engine import Database
from bide.db.migrate import Line, check, downgrade, migrate, sql
from bide.errors import DatabaseBusy, DatabaseError
from bide.i18n.migrations import TEXTS, texts
from bide.jobs.migrations import JOBS
from in_child import fork
from waiting import wait_until

Work = Callable[[Database], object]
Heard = Callable[[str], object]

RAILS = """
    CREATE TABLE translations (
        id bigint NOT NULL AUTO_INCREMENT PRIMARY KEY, scope varchar(255), locale varchar(255),
        `key` varchar(255), value text, interpolations text, is_proc tinyint(1) DEFAULT 0,
        created_at datetime(6) NOT NULL, updated_at datetime(6) NOT NULL
    ) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci
"""
OTHER = texts("words")
#: How many statements are left out between two kills where a step is one transaction.
STRIDE = 2


def up(database: Database) -> None:
    for line in (JOBS, TEXTS):
        migrate(database, line)


def down(database: Database) -> None:
    for line in (TEXTS, JOBS):
        downgrade(database, line)


@contextmanager
def hearing(heard: Heard) -> Iterator[None]:
    """Call `heard` after each statement that changes the schema."""

    def listen(_: Any, __: Any, statement: str, *___: Any) -> None:
        if re.match(r"\s*(CREATE|ALTER|DROP)\b", statement):
            heard(statement)

    event.listen(Engine, "after_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(Engine, "after_cursor_execute", listen)


def statements_of(database: Database, work: Work) -> list[str]:
    """What a run that nobody kills does to the schema."""
    heard: list[str] = []
    with hearing(heard.append):
        work(database)
    return heard


def killed(url: str, work: Work, ends: Callable[[str], bool]) -> str | None:
    """Kill a process after the first statement that `ends` it; that statement, or None if it came to
    the end."""
    reading, writing = os.pipe()
    pid = fork()
    if pid == 0:
        _work_until(url, work, ends, writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return said
    assert status == 0, said
    return None


def _work_until(url: str, work: Work, ends: Callable[[str], bool], writing: int) -> None:
    def heard(statement: str) -> None:
        if ends(statement):
            os.write(writing, statement.encode())
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        with hearing(heard):
            work(Database(url))
        os._exit(0)
    except BaseException:  # noqa: BLE001 - the parent tells it
        os.write(writing, traceback.format_exc().encode())
    os._exit(1)


def killed_after_each(url: str, work: Work) -> list[str]:
    """Kill one process after each statement in turn; each goes on where the one before was killed."""
    done: list[str] = []
    while statement := killed(url, work, lambda one: one not in done):
        done.append(statement)
    return done


def schema_of(database: Database) -> dict[str, Any]:
    """All that MariaDB tells of the tables, their triggers and their versions."""
    with database.engine.connect() as connection:

        def rows(question: str) -> list[Any]:
            return [tuple(row) for row in connection.execute(text(question))]

        names = sorted(name for (name,) in rows("SHOW TABLES"))
        return {
            "tables": [rows(f"SHOW CREATE TABLE {name}") for name in names],
            "triggers": rows(
                "SELECT trigger_name, event_object_table, event_manipulation, action_statement "
                "FROM information_schema.triggers WHERE trigger_schema = DATABASE() ORDER BY 1"
            ),
            "versions": [rows(f"SELECT * FROM {name}") for name in names if "_version" in name[-8:]],
            "scopes": rows("SELECT scope FROM bide_text_versions") if "bide_text_versions" in names else [],
        }  # fmt: skip


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def whole(fresh_url: Callable[[str], str]) -> Iterator[Database]:
    """Another database, where nobody is killed."""
    database = Database(fresh_url("mysql"))
    yield database
    database.close()


@pytest.mark.timeout(120)
def test_a_migration_killed_after_any_statement_goes_on_and_makes_the_same_schema(
    mysql_url: str, whole: Database
) -> None:
    """MySQL and MariaDB commit each statement by itself. The table of texts is Rails'."""
    database = Database(mysql_url)
    for one in (database, whole):
        one.run(lambda c: c.execute(RAILS))
    for work in (up, down):
        every = statements_of(whole, work)
        assert len(every) > 15
        assert killed_after_each(mysql_url, work) == every
        assert schema_of(database) == schema_of(whole)
    for one in (database, whole):
        up(one)
    assert schema_of(database) == schema_of(whole)
    database.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_where_steps_are_transactions_a_killed_migration_leaves_nothing_behind(
    kind: str, request: pytest.FixtureRequest, fresh_url: Callable[[str], str]
) -> None:
    whole = Database(fresh_url(kind))
    url = str(request.getfixturevalue(f"{kind}_url"))
    database = Database(url)
    for line in (JOBS, TEXTS):

        def work(one: Database, line: Line = line) -> None:
            migrate(one, line)

        before = inspect(database.engine).get_table_names()
        for place in range(0, len(statements_of(whole, work)), STRIDE):
            assert killed(url, work, _after(place))
            assert inspect(database.engine).get_table_names() == before
        migrate(database, line)
        check(database, line)
    for one in (database, whole):
        one.close()


def _after(place: int) -> Callable[[str], bool]:
    left = iter(range(place))
    return lambda _: next(left, None) is None


def test_another_table_of_that_name_is_no_step_of_ours(mysql_url: str) -> None:
    database = Database(mysql_url)
    database.run(lambda c: c.execute("CREATE TABLE bide_workers (other integer)"))
    with pytest.raises(DatabaseError, match="already exists"):
        migrate(database, JOBS)
    database.run(lambda c: c.execute("DROP TABLE bide_workers"))
    assert migrate(database, JOBS)
    database.close()


@pytest.mark.parametrize(
    ("kind", "waiting"),
    [
        ("mysql", "SELECT 1 FROM information_schema.processlist WHERE state = 'User lock'"),
        ("postgresql", "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'advisory'"),
    ],
)
def test_others_wait_from_the_first_statement_to_the_last(
    kind: str, waiting: str, request: pytest.FixtureRequest
) -> None:
    """Lines of one prefix share tables, so one lock is theirs; it outlasts what the statements commit."""
    url = str(request.getfixturevalue(f"{kind}_url"))
    databases = [Database(url) for _ in range(3)]
    under_way, go_on, order = threading.Event(), threading.Event(), list[str]()

    def heard(statement: str) -> None:
        order.append(threading.current_thread().name)
        if len(order) == 5:
            under_way.set()
            assert go_on.wait(20)

    with hearing(heard), ThreadPoolExecutor(2) as threads:
        one = threads.submit(migrate, databases[0], TEXTS)
        assert under_way.wait(20)
        other = threads.submit(migrate, databases[1], OTHER)
        wait_until(lambda: databases[2].read(lambda c: c.execute(waiting)))
        go_on.set()
        assert one.result()
        assert other.result()
    assert len([n for n, name in enumerate(order) if n and name != order[n - 1]]) == 1
    for each in databases:
        each.close()


def test_whoever_waits_too_long_says_so_and_changes_nothing(
    mysql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "PATIENCE", 0)
    here, there = Database(mysql_url), Database(mysql_url)
    with alone.alone(here), pytest.raises(DatabaseBusy, match="another process has been migrating"):
        migrate(there, JOBS)
    assert inspect(there.engine).get_table_names() == []
    assert migrate(there, JOBS)
    for each in (here, there):
        each.close()


def test_a_script_that_stopped_midway_is_finished_by_a_migration(
    mysql_url: str, whole: Database
) -> None:
    up(whole)
    database = Database(mysql_url)
    steps = [part for part in sql(database, JOBS).split(";\n") if part.strip()]
    with database.engine.begin() as connection:
        for step in steps[: len(steps) // 2]:
            connection.exec_driver_sql(step)
    up(database)
    assert schema_of(database) == schema_of(whole)
    database.close()
