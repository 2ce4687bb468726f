"""SQLite over a fork: the parent's locks and commits, and the child's own connection."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bide.forks import guard
from in_child import finish, in_child, start

OFF = guard.Layers(seal=False, forget=False)


@pytest.fixture(autouse=True)
def fence(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The test runner's own threads are not the program's."""
    monkeypatch.setattr(guard.threads, "other_threads", list)
    guard.protect()
    yield
    guard.protect(OFF)


@pytest.fixture(params=["wal", "delete"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA journal_mode={request.param}")
        database.execute("CREATE TABLE t (who INTEGER, n INTEGER)")
        database.execute("INSERT INTO t VALUES (0, 0)")
        database.commit()
    return path


def write(path: Path, rows: int) -> int:
    """Rows that SQLite said were committed, through a connection of this process' own."""
    acknowledged = 0
    with contextlib.closing(sqlite3.connect(path, timeout=10, isolation_level=None)) as own:
        for number in range(rows):
            own.execute("INSERT INTO t VALUES (?, ?)", (os.getpid(), number))
            acknowledged += 1
    return acknowledged


def rows_and_health(path: Path) -> tuple[int, str]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        count = database.execute("SELECT count(*) FROM t").fetchone()[0]
        return count, database.execute("PRAGMA integrity_check").fetchone()[0]


@pytest.mark.parametrize("state", ["idle", "reading"])
@pytest.mark.parametrize("parent_closes", [True, False])
def test_what_children_commit_through_their_own_connections_stays(
    path: Path, state: str, parent_closes: bool
) -> None:
    """Without the fence thousands of acknowledged rows are lost in WAL mode, in silence."""
    database = sqlite3.connect(path, isolation_level=None)
    cursor = database.execute("SELECT * FROM t")
    if state == "idle":
        cursor.fetchall()
    else:
        cursor.fetchone()
    children = [start(lambda: write(path, 200)) for _ in range(3)]
    if parent_closes:
        cursor.close()
        database.close()
    acknowledged = sum(finish(*child) for child in children) + write(path, 100)
    database.close()
    assert rows_and_health(path) == (1 + acknowledged, "ok")
    assert acknowledged == 700


@pytest.mark.parametrize("ending", ["close", "exit", "commit"])
def test_a_child_s_exit_or_close_does_not_touch_the_parent_s_transaction(
    path: Path, ending: str
) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA cache_size = 5")
    database.execute("BEGIN IMMEDIATE")
    for number in range(2000):
        database.execute("INSERT INTO t VALUES (1, ?)", (number,))

    def child() -> None:
        with contextlib.suppress(sqlite3.Error):
            if ending == "commit":
                database.commit()
            if ending == "close":
                database.close()

    in_child(child)
    with (
        contextlib.closing(sqlite3.connect(path, timeout=0)) as other,
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")
    database.execute("ROLLBACK")
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO t VALUES (2, 2)")
    database.execute("COMMIT")
    database.close()
    assert rows_and_health(path) == (2, "ok")


def test_an_inherited_handle_fails_loudly_and_loses_nothing(path: Path) -> None:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("INSERT INTO t VALUES (1, 1)")

    def child() -> str:
        try:
            database.execute("INSERT INTO t VALUES (2, 2)")
        except sqlite3.Error as error:
            return type(error).__name__
        return "acknowledged"

    assert in_child(child) == "ProgrammingError"
    database.close()
    assert rows_and_health(path) == (2, "ok")


def test_a_database_in_memory_stays_usable_in_the_child() -> None:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE TABLE t (n INTEGER)")
    database.execute("INSERT INTO t VALUES (7)")
    assert in_child(lambda: database.execute("SELECT n FROM t").fetchone()) == (7,)
    database.close()


def test_with_only_the_seal_an_inherited_handle_still_loses_nothing(path: Path) -> None:
    guard.protect(guard.Layers(forget=False))
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("INSERT INTO t VALUES (1, 1)")

    def child() -> str:
        try:
            database.execute("INSERT INTO t VALUES (2, 2)")
        except sqlite3.Error:
            return "refused"
        return "acknowledged"

    assert in_child(child) == "refused"
    database.close()
    assert rows_and_health(path) == (2, "ok")


def test_without_the_fence_acknowledged_rows_are_lost(tmp_path: Path) -> None:
    """The experiments above can fail: a parent with a cursor open, closing first, in WAL mode."""
    guard.protect(OFF)
    path = tmp_path / "shop.db"
    with contextlib.closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode=wal")
        made.execute("CREATE TABLE t (who INTEGER, n INTEGER)")
        made.execute("INSERT INTO t VALUES (0, 0)")
        made.commit()
    database = sqlite3.connect(path, isolation_level=None)
    cursor = database.execute("SELECT * FROM t, t AS u, t AS v")
    cursor.fetchone()

    def child() -> None:
        with contextlib.suppress(sqlite3.Error):
            database.execute("INSERT INTO t VALUES (3, 3)")
        database.execute("PRAGMA wal_checkpoint")

    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO t VALUES (1, 1)")

    def commit() -> None:
        database.execute("COMMIT")

    in_child(commit)
    with contextlib.suppress(sqlite3.Error):
        database.execute("ROLLBACK")
    cursor.close()
    database.close()
    assert rows_and_health(path) != (1, "ok"), "the parent's ROLLBACK was not respected"
