"""A fork waits until no thread uses a SQLite handle, so that a child is not born with its locks."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from bide.db.engine import Database
from bide.db.gate import Gate
from waiting import wait_until


def test_children_write_though_threads_were_writing_at_the_fork(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'busy.db'}", busy_timeout=5)
    database.run(lambda c: c.execute("CREATE TABLE told (who TEXT)"))
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            database.run(lambda c: c.execute("INSERT INTO told VALUES ('thread')"))

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        children = [_fork_and_write(database) for _ in range(20)]
        statuses = [os.waitpid(pid, 0)[1] for pid in children]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    database.close()
    assert statuses == [0] * 20
    with sqlite3.connect(tmp_path / "busy.db") as plain:
        assert plain.execute("SELECT count(*) FROM told WHERE who = 'child'").fetchone() == (20,)
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def test_children_of_two_threads_that_fork_at_once_write_too(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'busy.db'}", busy_timeout=20)
    database.run(lambda c: c.execute("CREATE TABLE told (who TEXT)"))
    ended, statuses = threading.Event(), list[int]()

    def write() -> None:
        while not ended.is_set():
            database.run(lambda c: c.execute("INSERT INTO told VALUES ('thread')"))

    def fork() -> None:
        for _ in range(15):
            statuses.append(os.waitpid(_fork_and_write(database), 0)[1])

    writing = [threading.Thread(target=write) for _ in range(2)]
    forking = [threading.Thread(target=fork) for _ in range(2)]
    for thread in writing + forking:
        thread.start()
    for thread in forking:
        thread.join()
    ended.set()
    for thread in writing:
        thread.join()
    database.close()
    assert statuses == [0] * 30
    with sqlite3.connect(tmp_path / "busy.db") as plain:
        assert plain.execute("SELECT count(*) FROM told WHERE who = 'child'").fetchone() == (30,)
        assert plain.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    plain.close()


def _fork_and_write(database: Database) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        database.run(lambda c: c.execute("INSERT INTO told VALUES ('child')"))
        status = 0
    finally:
        os._exit(status)


def test_a_closed_gate_lets_nobody_in_until_it_opens() -> None:
    gate, passed = Gate(), threading.Event()

    def pass_through() -> None:
        with gate:
            passed.set()

    gate.close()
    thread = threading.Thread(target=pass_through)
    thread.start()
    assert not passed.wait(0.05)
    gate.open()
    assert passed.wait(20)
    thread.join()


def test_a_gate_that_two_threads_have_closed_opens_when_both_have_forked() -> None:
    gate, passed, closed, forked = Gate(), *(threading.Event() for _ in range(3))

    def pass_through() -> None:
        with gate:
            passed.set()

    def fork_slowly() -> None:
        gate.close()
        closed.set()
        forked.wait(20)
        gate.open()

    gate.close()
    forking, passing = threading.Thread(target=fork_slowly), threading.Thread(target=pass_through)
    forking.start()
    assert closed.wait(20)
    passing.start()
    gate.open()
    assert not passed.wait(0.1)
    forked.set()
    assert passed.wait(20)
    forking.join()
    passing.join()


def test_closing_waits_for_those_inside_and_not_for_itself() -> None:
    gate, inside, leave, closed = Gate(), threading.Event(), threading.Event(), threading.Event()

    def stay() -> None:
        with gate:
            inside.set()
            leave.wait(20)

    def close() -> None:
        with gate:
            gate.close()
            closed.set()

    staying, closing = threading.Thread(target=stay), threading.Thread(target=close)
    staying.start()
    assert inside.wait(20)
    closing.start()
    assert not closed.wait(0.05)
    leave.set()
    wait_until(closed.is_set)
    staying.join()
    closing.join()


def test_two_threads_that_use_handles_while_they_fork_do_not_wait_for_each_other_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A hook of the application may do so, before the fork or behind it."""
    monkeypatch.setattr("bide.db.gate.PATIENCE", 0.1)
    gate, closed = Gate(), threading.Barrier(2, timeout=20)

    def fork() -> None:
        gate.close()
        closed.wait()
        with gate:
            pass
        gate.open()

    threads = [threading.Thread(target=fork, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
