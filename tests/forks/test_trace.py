from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bide.forks import trace
from bide.forks.audit import audit
from bide.forks.descriptors import identity_of
from forks.clients import WAYS
from forks.conftest import needs


@pytest.fixture(autouse=True)
def tracing() -> Iterator[None]:
    trace.trace_connections()
    yield
    trace.stop_tracing()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def test_a_connection_remembers_the_process_and_the_line_that_opened_it(
    listener: socket.socket,
) -> None:
    with socket.create_connection(listener.getsockname()) as client:
        opening = trace.opening_of(identity_of(client.fileno()))
    assert opening is not None
    assert opening.pid == os.getpid()
    here = "in test_a_connection_remembers_the_process_and_the_line_that_opened_it"
    assert opening.place.startswith(__file__ + ":")
    assert opening.place.endswith(here)


def test_nothing_is_recorded_when_nobody_asked(listener: socket.socket) -> None:
    trace.stop_tracing()
    with socket.create_connection(listener.getsockname()) as client:
        assert trace.opening_of(identity_of(client.fileno())) is None


def test_datagrams_are_no_connections(listener: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(listener.getsockname())
        assert trace.opening_of(identity_of(udp.fileno())) is None


def test_a_file_of_sqlite_remembers_its_opener_and_memory_has_none(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "shop.db").close()
    sqlite3.connect(":memory:").close()
    opening = trace.opening_of(os.path.realpath(tmp_path / "shop.db"))
    assert opening is not None
    assert opening.place.startswith(__file__)


@pytest.mark.parametrize(
    "name",
    [
        "psycopg2",
        "psycopg 3",
        "asyncpg",
        "pg8000",
        "SQLAlchemy + psycopg",
        "PyMySQL",
        "mysqlclient",
        "mariadb connector",
        "redis-py, one connection",
    ],
)
def test_every_driver_s_connection_is_traced_to_the_application_s_line(
    name: str, url_of: Callable[[str], str]
) -> None:
    """In a program of its own: drivers in C are wrapped when they are imported."""
    needs(WAYS[name].module)
    program = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        "import bide.forks\n"
        "from forks.clients import WAYS\n"
        f"client = WAYS[{name!r}].open({url_of(WAYS[name].server)!r}); client.ask('warm')\n"
        "print([each.opened_at for each in bide.forks.audit() if each.kind == 'client'])\n"
        "import os; sys.stdout.flush(); os._exit(0)\n"
    )
    environment = os.environ | {trace.VARIABLE: "1"}
    said = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=50
    )
    assert "clients.py:" in said.stdout, said.stdout + said.stderr
    assert "''" not in said.stdout


@pytest.mark.parametrize(
    ("value", "wanted"), [("1", True), ("yes", True), ("0", False), ("off", False), ("", False)]
)
def test_the_environment_asks_for_tracing(
    value: str, wanted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(trace.VARIABLE, value)
    assert trace.wanted_by_environment() is wanted


def test_the_audit_names_the_line(listener: socket.socket) -> None:
    with socket.create_connection(listener.getsockname()) as client:
        [found] = [each for each in audit() if each.fd == client.fileno()]
    assert found.opened_at.startswith(__file__)
