"""Servers as a production machine would run them: durable, with room; and an empty database for each run."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from contest.environments import Unavailable
from servers import mariadb, postgresql
from waiting import wait_until

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
    "wal_level": "replica",
}
DURABLE_MARIADB = [
    "--innodb-flush-log-at-trx-commit=1",
    "--innodb-doublewrite=1",
    "--innodb-buffer-pool-size=512M",
    "--innodb-flush-method=fsync",
]


class PostgreSQL(postgresql.PostgreSQL):
    """Fsync and synchronous_commit on, 512 MB of buffers."""

    def command(self) -> list[str]:
        words = [word for item in DURABLE.items() for word in ("-c", "=".join(item))]
        return super().command() + words


class MariaDB(mariadb.MariaDB):
    """Every commit flushed, 512 MB of buffers."""

    def command(self) -> list[str]:
        return super().command() + DURABLE_MARIADB


class Stores:
    """Every kind of store that this machine has; started on first use, ended with the contest."""

    def __init__(self) -> None:
        self._servers: dict[str, Any] = {}
        self._redis: subprocess.Popen[bytes] | None = None
        self.directory = Path(tempfile.mkdtemp(prefix="bide-contest-"))

    @contextmanager
    def empty(self, kind: str) -> Iterator[Store]:
        """An empty store of that kind; raises Unavailable."""
        if kind == "sqlite":
            place = Path(tempfile.mkdtemp(dir=self.directory))
            yield Store(f"sqlite:///{place / 'jobs.db'}", [])
            shutil.rmtree(place)
        elif kind == "redis":
            yield Store(self._empty_redis(), [self._redis])
        else:
            server, name = self._server(kind), f"contest_{uuid.uuid4().hex[:8]}"
            server.create_database(name)
            try:
                yield Store(server.url(name), [server.process], server, name)
            finally:
                server.drop_database(name)

    def _server(self, kind: str) -> Any:
        if kind not in self._servers:
            if kind == "postgresql" and postgresql.binaries() is None:
                raise Unavailable(f"PostgreSQL is absent: {postgresql.WHERE}")
            if kind == "mysql" and mariadb.program() is None:
                raise Unavailable(f"MariaDB is absent: {mariadb.WHERE}")
            self._servers[kind] = (PostgreSQL if kind == "postgresql" else MariaDB).new()
        return self._servers[kind]

    def _empty_redis(self) -> str:
        if shutil.which("redis-server") is None:
            raise Unavailable("Redis is absent: apt-get install redis-server")
        if self._redis is None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._port = free.getsockname()[1]
            options = (
                f"--port {self._port} --bind 127.0.0.1 --appendonly yes --appendfsync everysec"
            )
            self._redis = subprocess.Popen(
                ["redis-server", *options.split(), "--dir", str(self.directory)],
                stdout=subprocess.DEVNULL,
            )
            wait_until(self._redis_answers, within=10)
        with socket.create_connection(("127.0.0.1", self._port)) as line:
            line.sendall(b"FLUSHALL\r\n")
            line.recv(64)
        return f"redis://127.0.0.1:{self._port}/0"

    def _redis_answers(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self._port)) == 0

    def close(self) -> None:
        """End every server."""
        for server in self._servers.values():
            server.release()
        if self._redis is not None:
            self._redis.terminate()
            self._redis.wait(10)
        shutil.rmtree(self.directory, ignore_errors=True)


class Store:
    """An empty store and the processes that serve it."""

    def __init__(self, url: str, processes: list[Any], server: Any = None, name: str = "") -> None:
        self.url, self._processes, self._server, self._name = url, processes, server, name

    def cpu(self) -> float:
        """Seconds of processor time that its server has taken so far, ended children included."""
        return sum(cpu_of_tree(process.pid) for process in self._processes)

    def query(self, statement: str) -> int:
        """The single number that `statement` answers."""
        if self._server is None:
            import sqlite3

            connection = sqlite3.connect(self.url.removeprefix("sqlite:///"))
            try:
                return int(connection.execute(statement).fetchone()[0])
            finally:
                connection.close()
        connection = self._server.connect(self._name)
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return int(cursor.fetchone()[0])
        finally:
            connection.close()

    def settle(self) -> None:
        """Let the server finish with what was stored before anything is measured."""
        if self._server is not None and self._server.kind == "postgresql":
            with self._server.connect(self._name) as connection:
                connection.execute("VACUUM ANALYZE")
                connection.execute("CHECKPOINT")


def cpu_of_tree(pid: int) -> float:
    """Processor seconds of a process, its children, and those of its children that have ended."""
    total = 0.0
    leader = psutil.Process(pid)
    for process in [leader, *leader.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
        if process.pid == pid:
            total += times.children_user + times.children_system
    return total
