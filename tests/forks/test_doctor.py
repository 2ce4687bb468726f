from __future__ import annotations

import resource
import socket
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bide.forks import doctor, known
from bide.forks.audit import Connection, audit
from bide.forks.findings import ERROR, OK, WARNING, Finding, worst_first

OPEN = Connection(7, "client", "tcp", "db:5432", "postgresql", "psycopg", "", known.REFUSED)


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        with client, listener.accept()[0]:
            yield client


def test_nothing_open_is_well() -> None:
    [found] = doctor.connections([])
    assert (found.level, found.text) == (OK, "no connection is open: nothing can cross a fork")


def test_a_connection_that_children_cannot_use_is_an_error_with_its_cure(
    client: socket.socket,
) -> None:
    [found] = [
        each for each in doctor.examine() if each.subject.startswith(f"fd {client.fileno()} ")
    ]
    assert found.level == ERROR
    assert "{}:{}".format(*client.getpeername()) in found.text
    assert "bide.forks.Owned" in found.advice


def test_the_place_is_told_or_how_to_learn_it() -> None:
    [unknown] = doctor.connections([OPEN])
    [traced] = doctor.connections([replace(OPEN, opened_at="shop.py:5 in <module>")])
    assert "BIDE_TRACE_CONNECTIONS=1 shows who opened it" in unknown.advice
    assert "opened at shop.py:5 in <module>" in traced.text
    assert "BIDE_TRACE" not in traced.advice


@pytest.mark.parametrize(
    ("fate", "kind", "level"),
    [
        (known.RENEWED, "client", OK),
        (f"{known.KEPT}: the child answers it", "client", OK),
        (known.LEFT, "listener", OK),
        (known.SEALED, "virgin", WARNING),
        (known.REFUSED, "event loop", WARNING),
        (known.SEALED, "sqlite", ERROR),
        (known.CLOSED, "client", ERROR),
    ],
)
def test_a_connection_is_as_bad_as_what_becomes_of_it(fate: str, kind: str, level: str) -> None:
    [found] = doctor.connections([replace(OPEN, fate=fate, kind=kind)])
    assert found.level == level


def test_what_programs_would_inherit_is_a_warning_with_the_call_that_ends_it() -> None:
    _, leak = doctor.connections([replace(OPEN, survives_exec=True)])
    assert (leak.level, leak.advice) == (WARNING, "os.set_inheritable(7, False) after connecting")


def test_an_open_sqlite_file_is_an_error(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE t (n)")
    [found] = [each for each in doctor.examine() if str(tmp_path) in each.text]
    connection.close()
    assert found.level == ERROR
    assert found.advice.startswith("open the SQLite file after the fork only")


def test_a_thread_is_a_warning_and_one_with_a_lock_an_error() -> None:
    lock, leave, ready = threading.Lock(), threading.Event(), threading.Barrier(3)

    def hold() -> None:
        with lock:
            ready.wait(10)
            leave.wait(20)

    def idle() -> None:
        ready.wait(10)
        leave.wait(20)

    made = [
        threading.Thread(target=hold, name="holder"),
        threading.Thread(target=idle, name="idler"),
    ]
    for thread in made:
        thread.start()
    try:
        ready.wait(10)
        told = {
            each.text.split("'")[1]: each for each in doctor.examine() if "thread '" in each.text
        }
    finally:
        leave.set()
        for thread in made:
            thread.join()
    assert (told["holder"].level, told["idler"].level) == (ERROR, WARNING)
    assert "with lock taken" in told["holder"].text


def test_too_few_descriptors_for_a_worker_are_an_error_with_a_number() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(128, hard), hard))
    try:
        found = doctor.descriptor_limit(each_needs=20)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found.level == ERROR
    assert "of 128 descriptors" in found.text
    assert "ulimit -n 4096" in found.advice
    assert doctor.descriptor_limit().level == OK


def test_macos_is_told_why_processes_are_spawned_there() -> None:
    found = doctor.start_method("darwin")
    assert "spawn: macOS aborts forked children" in found.text
    assert doctor.start_method().level == OK


def test_the_worst_comes_first_and_the_order_stays_otherwise() -> None:
    found = [Finding(level, str(n), "") for n, level in enumerate([OK, WARNING, ERROR, OK, ERROR])]
    assert [each.subject for each in worst_first(found)] == ["2", "4", "1", "0", "3"]


def test_looking_says_nothing_to_any_peer() -> None:
    mine, other = socket.socketpair()
    with mine, other, socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server = listener.accept()[0]
        with client, server:
            audit()
            doctor.examine()
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.recv(1)
