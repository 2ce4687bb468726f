"""What only the SQLite store does: borrowed transactions, bells, plans, kills."""

from __future__ import annotations

import os
import select
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import aiosqlite
import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

import bide
from bide import clock
from bide.clock import monotonic
from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.errors import SettingsError
from bide.events import subscribe
from bide.jobs.job import Filter, State
from bide.jobs.migrations import JOBS
from bide.jobs.stores.doorbell import Doorbell
from bide.jobs.stores.sqlite import SQLiteStore
from bide.testing.contract.acting import ANYTHING, NOW, a_job, claim, enlist, finish, put, put_many
from in_child import fork, in_child
from waiting import wait_until


@pytest.fixture
def store(sqlite_url: str) -> Iterator[SQLiteStore]:
    database = Database(sqlite_url)
    migrate(database, JOBS)
    store = SQLiteStore(database)
    yield store
    store.close()


def test_a_job_is_stored_with_the_callers_transaction_or_not_at_all(
    store: SQLiteStore, sqlite_url: str
) -> None:
    engine = create_engine(sqlite_url)
    job = a_job()
    with Session(engine) as session:
        store.insert([job, a_job()], on=session)
        session.rollback()
        assert store.count(Filter()) == 0
        new = store.insert([job, a_job(), job], on=session)
        session.commit()
    assert new[0] == new[2] != new[1]
    assert store.count(Filter()) == 2
    engine.dispose()


async def test_a_job_is_stored_with_an_async_callers_transaction(store: SQLiteStore) -> None:
    job = a_job()
    async with aiosqlite.connect(store.database.file) as connection:
        await store.ainsert([job], on=connection)
        await connection.rollback()
        new = await store.ainsert([job, job], on=connection)
        await connection.commit()
    assert new == [new[0]] * 2
    assert store.count(Filter()) == 1


def test_a_commit_of_a_session_rings_the_bell(store: SQLiteStore, sqlite_url: str) -> None:
    engine = create_engine(sqlite_url)
    bell = store.wakeups()
    while bell.wait(0):
        pass
    with Session(engine) as session, bell.hung_out():
        store.insert([a_job()], on=session)
        assert not has_rung(bell)
        session.commit()
        assert has_rung(bell)
    bell.close()
    engine.dispose()


def test_a_bell_is_heard_that_was_hung_out_after_a_ring_in_vain(store: SQLiteStore) -> None:
    """Nobody waited at the last ring, long after the directory was changed."""
    bell = store.wakeups()
    while bell.wait(0):
        pass
    place = f"{store.database.file}-wake"
    os.utime(place, (1, 1))
    put(store)
    with bell.hung_out():
        assert not has_rung(bell)
        put(store)
        assert has_rung(bell)
    bell.close()


def test_a_change_of_the_same_moment_hides_no_bell(store: SQLiteStore) -> None:
    """Times of directories are those of a clock that stands for some milliseconds."""
    bell = store.wakeups()
    while bell.wait(0):
        pass
    place = Path(f"{store.database.file}-wake")
    just_now = clock.microseconds() * 1000 + 10**12  # nobody is quicker
    os.utime(place, ns=(just_now, just_now))
    put(store)
    with bell.hung_out():
        os.utime(place, ns=(just_now, just_now))
        put(store)
        assert has_rung(bell)
    bell.close()


def test_bells_of_the_dead_are_taken_away(store: SQLiteStore) -> None:
    def die() -> None:
        bell = store.wakeups()
        with bell.hung_out():
            os.kill(os.getpid(), signal.SIGKILL)

    child = fork()
    if child == 0:
        try:
            die()
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    place = Path(f"{store.database.file}-wake")
    assert len(list(place.iterdir())) == 1
    put(store)
    assert list(place.iterdir()) == []


def test_a_new_bell_takes_hidden_ones_of_the_dead_away(store: SQLiteStore) -> None:
    child = fork()
    if child == 0:
        store.wakeups()
        os._exit(0)
    os.waitpid(child, 0)
    place = Path(f"{store.database.file}-wake")
    [left] = place.iterdir()
    bell = store.wakeups()
    assert not left.exists()
    assert len(list(place.iterdir())) == 1
    bell.close()


def test_a_write_of_another_program_ends_the_wait(store: SQLiteStore) -> None:
    bell = store.wakeups()
    while bell.wait(0):
        pass
    stranger = sqlite3.connect(store.database.file)
    stranger.execute("CREATE TABLE theirs (id)")
    stranger.close()
    start = monotonic()
    assert bell.wait(30)
    assert monotonic() - start < 20
    bell.close()


def has_rung(bell: Doorbell) -> bool:
    return bool(select.select([bell._socket], [], [], 0)[0])


@pytest.mark.parametrize(
    ("statement", "params", "index"),
    [
        ("first_ready", {"queue": "q", "lowest": 0, "highest": 9, "limit": 5}, "jobs_ready"),
        ("ready_queues", {}, "jobs_ready"),
        ("ready_between", {}, "jobs_ready"),
        ("promote", {"now": "2031", "limit": 5, "pos": 1}, "jobs_scheduled"),
        ("heads", {"queue": "q", "lowest": 0, "highest": 9, "limit": 5}, "jobs_ready"),
        ("due", {"now": "2031"}, "jobs_scheduled"),
        ("held_of", {"ids": "[1]", "worker_id": 1, "lease": 1}, "PRIMARY KEY"),
        ("finish_held", {"ids": "[1]", "worker_id": 1, "lease": 1}, "PRIMARY KEY"),
        ("held_of_range", {"first": 1, "last": 1, "worker_id": 1, "lease": 1}, "PRIMARY KEY"),
        ("finish_held_range", {"first": 1, "last": 1, "worker_id": 1, "lease": 1}, "PRIMARY KEY"),
        ("attempts_between", {"first": 1, "last": 1}, "attempts_job"),
        (
            "claim_range",
            {"first": 1, "last": 1, "now": "2031", "worker": "w", "worker_id": 1},
            "PRIMARY KEY",
        ),
        ("finish_and_keep", {"ids": "[1]", "now": "2031"}, "PRIMARY KEY"),
        ("claim", {"ids": "[1]", "now": "2031", "worker": "w", "worker_id": 1}, "PRIMARY KEY"),
        ("release_all_of", {"worker_id": 1, "pos": 1}, "jobs_running"),
        ("orphans", {}, "jobs_running"),
        ("id_of_key", {"key": "a"}, "jobs_key"),
    ],
)
def test_hot_statements_walk_their_index(
    store: SQLiteStore, statement: str, params: dict[str, object], index: str
) -> None:
    text = f"EXPLAIN QUERY PLAN {store.statements[statement].text}"
    plan = [row[3] for row in store.database.read(lambda c: c.execute(text, params))]
    assert any(index in step for step in plan), plan
    assert not [step for step in plan if step.startswith("SCAN bide_jobs") and "INDEX" not in step]
    if statement in ("first_ready", "heads"):
        assert not [step for step in plan if "TEMP B-TREE" in step]


def test_jobs_survive_workers_that_are_killed(store: SQLiteStore) -> None:
    """Promise 1 and 2: five workers in a row die in their work; every job runs to its end."""
    new = put_many(store, 60)
    for _ in range(5):
        told = Path(f"{store.database.file}-told")
        child = fork()
        if child == 0:
            worker = enlist(store, "doomed")
            told.write_text(str(worker.id))
            while rows := claim(store, worker, 3):
                finish(store, worker, *rows[:1])
            signal.pause()  # to be killed; nothing below is the child's
        wait_until(lambda told=told: told.exists() and told.read_text())
        wait_until(lambda: store.count(Filter(states=(State.RUNNING,))) > 0)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        store.rescue(NOW - NOW, NOW, max_crashes=99, max_attempts=99, dead=[int(told.read_text())])
        told.unlink()
    worker = enlist(store, "last")
    while rows := store.claim(worker, ANYTHING, 10, NOW):
        finish(store, worker, *rows)
    assert store.count(Filter()) == 0
    assert len(new) == 60
    assert store.database.read(lambda c: c.execute("PRAGMA integrity_check")) == [("ok",)]


def test_no_handle_of_the_file_is_inherited(store: SQLiteStore) -> None:
    """A child that inherits one believes in locks that it does not hold."""
    put(store)
    name = str(store.database.file)

    def inherited() -> list[str]:
        every = [
            str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()
        ]
        return [path for path in every if path.startswith(name)]

    assert in_child(inherited) == []


def test_parent_and_child_write_by_turns_after_a_fork(store: SQLiteStore) -> None:
    put(store)
    for _ in range(10):
        assert in_child(lambda: put(store)) > 0
        put(store)
    assert store.count(Filter()) == 21
    assert store.database.read(lambda c: c.execute("PRAGMA integrity_check")) == [("ok",)]


@pytest.mark.parametrize(("version", "warned"), [((3, 51, 2), 1), ((3, 51, 3), 0)])
def test_the_second_worker_is_told_of_an_old_sqlite(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], warned: int
) -> None:
    """Once: neither a worker alone nor the third."""
    monkeypatch.setattr("sqlite3.sqlite_version_info", version)
    store = SQLiteStore(Database(sqlite_url))
    migrate(store.database, JOBS)
    heard: list[str] = []
    unsubscribe = subscribe(lambda name, facts: heard.append(f"{name} {facts.get('version')}"))
    try:
        enlist(store)
        assert heard == []
        enlist(store)
        enlist(store)
    finally:
        unsubscribe()
        store.close()
    assert heard == ["old_sqlite SQLite 3.51.2"] * warned


def test_an_engine_of_the_application_waits_for_the_disk_as_it_says(sqlite_url: str) -> None:
    """SQLite's FULL (2) survives a loss of power; connections of our own have NORMAL (1)."""
    engine = create_engine(sqlite_url)
    for target, level in ((engine, 2), (sqlite_url, 1)):
        database = Database(target)
        migrate(database, JOBS)
        assert database.read(lambda c: c.execute("PRAGMA synchronous")) == [(level,)]
        database.close()
    engine.dispose()


def test_the_app_waits_for_the_disk_as_its_setting_says(sqlite_url: str) -> None:
    for given, level in (({}, 1), ({"sqlite_synchronous": "FULL"}, 2)):
        app = bide.App(sqlite_url, **given)
        assert app.database is not None
        app.migrate()
        assert app.database.read(lambda c: c.execute("PRAGMA synchronous")) == [(level,)]
        app.close()
    with pytest.raises(SettingsError, match="sqlite_synchronous='OFF': must be NORMAL or FULL"):
        bide.App(sqlite_url, sqlite_synchronous="OFF")
