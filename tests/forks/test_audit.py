from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bide.forks import guard, known
from bide.forks.audit import Connection, audit
from forks.clients import WAYS
from forks.conftest import needs
from in_child import in_child

OFF = guard.Layers(seal=False, forget=False)


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server = listener.accept()[0]
    with client, server:
        yield client, server


@pytest.fixture
def fence() -> Iterator[None]:
    guard.protect()
    yield
    guard.protect(OFF)


def at(fd: int) -> Connection:
    [found] = [each for each in audit() if each.fd == fd]
    return found


def test_a_connection_is_told_with_its_peer_its_holder_and_its_fate(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire
    found = at(client.fileno())
    assert found.peer == "{}:{}".format(*client.getpeername())
    assert (found.kind, found.family, found.library) == ("client", "tcp", "socket")
    assert found.fate == known.SEALED
    assert not found.inherited
    assert not found.survives_exec


def test_a_kept_connection_is_told_with_the_reason(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire
    guard.keep(client, "the child answers it")
    assert at(client.fileno()).fate == "kept, as asked: the child answers it"


def test_a_descriptor_that_programs_would_inherit_is_told(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire
    client.set_inheritable(True)
    assert at(client.fileno()).survives_exec


def test_files_of_sqlite_are_told_and_other_files_are_not(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("CREATE TABLE t (n)")
    with (tmp_path / "log").open("w"):
        told = [each for each in audit() if each.peer.startswith(str(tmp_path))]
    connection.close()
    assert [(each.kind, Path(each.peer).name) for each in told] == [("sqlite", "shop.db")]


@pytest.mark.usefixtures("fence")
def test_a_child_is_told_what_it_inherited_and_what_became_of_it(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire
    fd, peer = client.fileno(), "{}:{}".format(*client.getpeername())
    found = in_child(lambda: at(fd).as_dict())
    assert (found["inherited"], found["peer"], found["fate"]) == (True, peer, known.SEALED)


@pytest.mark.usefixtures("fence")
def test_a_connection_of_the_child_s_own_is_not_called_inherited(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire

    def child() -> list[tuple[bool, str]]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            own = socket.create_connection(listener.getsockname())
            return [(at(fd).inherited, at(fd).fate) for fd in (client.fileno(), own.fileno())]

    assert in_child(child) == [(True, known.SEALED), (False, known.SEALED)]


@pytest.mark.parametrize(
    ("name", "library", "pool", "fate"),
    [
        ("psycopg 3", "psycopg", "", known.REFUSED),
        ("psycopg2", "psycopg2", "", known.REFUSED),
        ("PyMySQL", "PyMySQL", "", known.REFUSED),
        ("SQLAlchemy + psycopg", "psycopg", "SQLAlchemy", known.RENEWED),
        ("SQLAlchemy + pymysql", "PyMySQL", "SQLAlchemy", known.RENEWED),
        ("psycopg_pool", "psycopg", "psycopg_pool", known.RENEWED),
        ("redis-py, one connection", "redis-py", "", known.RENEWED),
    ],
)
def test_the_library_is_named_and_an_idle_connection_of_a_pool_is_renewed(
    name: str, library: str, pool: str, fate: str, url_of: Callable[[str], str]
) -> None:
    needs(WAYS[name].module)
    before = {each.fd for each in audit()}
    client = WAYS[name].open(url_of(WAYS[name].server))
    try:
        assert client.ask("warm") == "warm"
        [found] = [each for each in audit() if each.fd not in before and each.kind == "client"]
        assert (found.library, found.pool, found.fate) == (library, pool, fate)
    finally:
        client.close()


def test_a_connection_that_a_pool_has_lent_is_refused(url_of: Callable[[str], str]) -> None:
    import sqlalchemy

    url = url_of("postgresql plain").replace("postgresql:", "postgresql+psycopg:")
    engine: Any = sqlalchemy.create_engine(url)
    with engine.connect() as lent:
        fd = lent.connection.driver_connection.fileno()
        assert (at(fd).pool, at(fd).fate) == ("", known.REFUSED)
    assert (at(fd).pool, at(fd).fate) == ("SQLAlchemy", known.RENEWED)
    engine.dispose()
