"""Fixtures of all tests: a fresh database of each kind, and servers to stop, kill and freeze.

Servers start on first use, one of each kind per test run, shared by its parallel processes. What this
machine lacks skips its tests, unless BIDE_REQUIRE (`postgresql,mysql,browser,forks,ruby,suites,shells,promtool`) lists it:
then they fail.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from servers import mariadb as maria
from servers import postgresql as postgres
from servers.server import Server, shared

PROGRAMS = {
    "chromedriver": "chromium chromium-driver",
    "redis-server": "redis-server",
    "ruby": "ruby ruby-activerecord ruby-i18n ruby-sqlite3",
}


def pytest_report_header() -> list[str]:
    programs = [
        f"{what} {'found' if shutil.which(what) else f'absent (apt-get install {packages})'}"
        for what, packages in PROGRAMS.items()
    ]
    return [
        f"databases: SQLite {sqlite3.sqlite_version}, {postgres.described()}, {maria.described()}",
        f"programs: {', '.join(programs)}",
    ]


def lacking(what: str, remedy: str) -> None:
    """Skip on a laptop, fail where it is promised to be there."""
    if what in os.environ.get("BIDE_REQUIRE", "").split(","):
        pytest.fail(f"BIDE_REQUIRE lists {what}, but it is absent: {remedy}")
    pytest.skip(f"{what} is absent: {remedy}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: the others fill the time beside them."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def meeting_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that all parallel processes of this test run have in common."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgresql(meeting_place: Path) -> Iterator[postgres.PostgreSQL]:
    """The shared PostgreSQL server of this run: make databases in it, do not stop it."""
    if "BIDE_TEST_POSTGRESQL_URL" in os.environ:
        yield postgres.Elsewhere(os.environ["BIDE_TEST_POSTGRESQL_URL"])
        return
    if postgres.binaries() is None:
        lacking("postgresql", postgres.WHERE)
    with shared(postgres.PostgreSQL, meeting_place) as server:
        yield server


@pytest.fixture(scope="session")
def mariadb(meeting_place: Path) -> Iterator[maria.MariaDB]:
    """The shared MariaDB server of this run: make databases in it, do not stop it."""
    if maria.program() is None:
        lacking("mysql", maria.WHERE)
    with shared(maria.MariaDB, meeting_place) as server:
        yield server


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'test.db'}"


@pytest.fixture
def postgresql_url(postgresql: postgres.PostgreSQL) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, dropped afterwards."""
    yield from fresh_database(postgresql)


@pytest.fixture
def mysql_url(mariadb: maria.MariaDB) -> Iterator[str]:
    """The URL of an empty MariaDB database, dropped afterwards."""
    yield from fresh_database(mariadb)


@pytest.fixture(params=maria.DRIVERS)
def mysql_driver(request: pytest.FixtureRequest) -> str:
    """The test runs twice: with PyMySQL and with mysqlclient."""
    return str(request.param)


def fresh_database(server: Server) -> Iterator[str]:
    name = f"bide_{uuid.uuid4().hex[:12]}"
    server.create_database(name)
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(scope="module")
def fresh_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], str]]:
    """Call it with a kind of database for the URL of an empty one that a whole module uses."""
    with ExitStack() as stack:

        def fresh(kind: str) -> str:
            if kind == "sqlite":
                return f"sqlite:///{tmp_path_factory.mktemp('database') / 'test.db'}"
            server: Server = request.getfixturevalue({"mysql": "mariadb"}.get(kind, kind))
            return stack.enter_context(contextmanager(fresh_database)(server))

        yield fresh


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The test runs three times: with an empty database of each kind."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
def start_postgresql() -> Iterator[Callable[..., postgres.PostgreSQL]]:
    """Call it for a server of this test's own; `tcp=True` listens on 127.0.0.1 and offers TLS."""
    if postgres.binaries() is None:
        lacking("postgresql", postgres.WHERE)
    with ExitStack() as stack:
        yield lambda *, tcp=False: started(stack, postgres.PostgreSQL.new(tcp=tcp))


@pytest.fixture
def start_mariadb() -> Iterator[Callable[..., maria.MariaDB]]:
    """Call it for a server of this test's own; `tcp=True` listens on 127.0.0.1 and offers TLS."""
    if maria.program() is None:
        lacking("mysql", maria.WHERE)
    with ExitStack() as stack:
        yield lambda *, tcp=False: started(stack, maria.MariaDB.new(tcp=tcp))


def started(stack: ExitStack, server: Server) -> Server:
    stack.callback(server.release)
    return server


@pytest.fixture
def own_postgresql(start_postgresql: Callable[..., postgres.PostgreSQL]) -> postgres.PostgreSQL:
    """A PostgreSQL of this test's own: stop(), start(), restart(), kill(), freeze(), thaw()."""
    return start_postgresql()


@pytest.fixture
def own_mariadb(start_mariadb: Callable[..., maria.MariaDB]) -> maria.MariaDB:
    """A MariaDB of this test's own: stop(), start(), restart(), kill(), freeze(), thaw()."""
    return start_mariadb()
