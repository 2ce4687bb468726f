"""Servers over TCP, TLS and unix sockets for the experiments with connections and forks."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from conftest import lacking
from servers import mariadb, postgresql, redis
from servers.server import Server


@pytest.fixture(scope="session")
def fork_postgresql() -> Iterator[Server]:
    if postgresql.binaries() is None:
        lacking("forks", postgresql.WHERE)
    server = postgresql.PostgreSQL.new(tcp=True)
    yield server
    server.release()


@pytest.fixture(scope="session")
def fork_mariadb() -> Iterator[Server]:
    if mariadb.program() is None:
        lacking("forks", mariadb.WHERE)
    server = mariadb.MariaDB.new(tcp=True)
    server.create_database("forks")
    yield server
    server.release()


@pytest.fixture(scope="session")
def fork_redis() -> Iterator[Server]:
    if redis.program() is None:
        lacking("forks", redis.WHERE)
    server = redis.Redis.new(tcp=True)
    yield server
    server.release()


class Echo(BaseHTTPRequestHandler):
    """Answers with the last part of the path, over a connection that is kept."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.rpartition("/")[2].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def fork_http() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def url_of(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """The URL of a server by its name and way: "postgresql tls", "mariadb unix", "redis"."""

    def find(server: str) -> str:
        kind, _, how = server.partition(" ")
        if kind == "http":
            return str(request.getfixturevalue("fork_http"))
        running = request.getfixturevalue(f"fork_{kind}")
        database = {"postgresql": "postgres", "mariadb": "forks", "redis": "0"}[kind]
        url = str(running.url(database, tcp=how != "unix"))
        mode = {"plain": "?sslmode=disable", "tls": "?sslmode=require"}.get(how, "")
        return url + (mode if kind == "postgresql" else "")

    return find


def needs(module: str) -> None:
    """Skip what uses a library that is not installed (or fail, where BIDE_REQUIRE says forks)."""
    if importlib.util.find_spec(module.partition(".")[0]) is None:
        lacking("forks", f"{module} is not installed: pip install 'bide[forks-test]'")
