"""MariaDB for the tests, from the system's package."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

import pymysql
import pytest

from servers.server import Server, run

FAST = [
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-doublewrite=0",
    "--innodb-flush-method=nosync",
    "--innodb-buffer-pool-size=64M",
    "--innodb-log-file-size=16M",
    "--innodb-use-native-aio=0",
    "--innodb-fast-shutdown=2",
    "--skip-log-bin",
    "--performance-schema=OFF",
    "--skip-name-resolve",
    "--max-connections=200",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
]
#: BIDE_TEST_MYSQL_DRIVER=mysqldb runs every test that connects through Bide with mysqlclient.
SCHEME = "+".join(["mysql", *os.environ.get("BIDE_TEST_MYSQL_DRIVER", "").split()])
#: The drivers that Bide's own connections may use.
DRIVERS = [
    "pymysql",
    pytest.param(
        "mysqldb",
        marks=pytest.mark.skipif(find_spec("MySQLdb") is None, reason="mysqlclient is absent"),
    ),
]
#: For tests of what PyMySQL needs.
with_pymysql = pytest.mark.skipif(SCHEME != "mysql", reason=f"no PyMySQL: the URLs say {SCHEME}")
PLACES = "/usr/sbin:/usr/local/sbin:/usr/libexec:/opt/homebrew/bin"
WHERE = "apt-get install mariadb-server"


def by_driver(url: str, driver: str) -> str:
    """The URL of one of our servers, to be connected to with one of DRIVERS."""
    return f"mysql+{driver}://{url.partition('://')[2]}"


@cache
def program() -> str | None:
    """The server program; Debian keeps it out of a plain user's PATH."""
    return shutil.which("mariadbd") or shutil.which("mariadbd", path=PLACES)


def described() -> str:
    """For the head of the test report."""
    if program() is None:
        return f"MariaDB absent ({WHERE})"
    return f"MariaDB {program_version()}"


@cache
def program_version() -> str:
    said = subprocess.check_output([str(program()), "--version"], text=True)
    match = re.search(r"\d+\.\d+\.\d+", said)
    assert match, said
    return match[0]


class MariaDB(Server):
    """A MariaDB server; databases are named by `mysql://` URLs."""

    kind = "mariadb"
    stop_signals: ClassVar = {
        "smart": signal.SIGTERM,
        "fast": signal.SIGTERM,
        "immediate": signal.SIGKILL,
    }

    @classmethod
    def template_name(cls) -> str:
        return f"{cls.kind}-{program_version()}"

    @staticmethod
    def make_data(directory: Path) -> None:
        options = "--no-defaults --auth-root-authentication-method=normal --skip-test-db"
        log_size = "--innodb-log-file-size=16M"
        run(
            *("mariadb-install-db", *options.split(), log_size, f"--datadir={directory}"),
            directory=directory,
        )

    def command(self) -> list[str]:
        places = {
            "datadir": self.directory / "data",
            "socket": self.socket(),
            "tmpdir": self.directory,
            "pid-file": self.directory / "data" / "pid",
        }
        network = ["--skip-networking"]
        if self.port is not None:
            network = ["--bind-address=127.0.0.1", f"--port={self.port}"]
            places |= {"ssl-cert": self.directory / "server.crt"}
            places |= {"ssl-key": self.directory / "server.key"}
        options = [f"--{name}={place}" for name, place in places.items()]
        return [str(program()), "--no-defaults", *options, *network, *FAST]

    def socket(self) -> Path:
        return self.directory / "socket"

    def ping(self) -> None:
        self.connect().close()

    def version(self) -> str:
        connection = self.connect()
        try:
            return str(connection.get_server_info())
        finally:
            connection.close()

    def url(self, database: str, *, tcp: bool = False) -> str:
        query = {"charset": "utf8mb4"}
        if tcp:
            return f"{SCHEME}://root@127.0.0.1:{self.port}/{database}?{urlencode(query)}"
        query["unix_socket"] = str(self.socket())
        return f"{SCHEME}://root@localhost/{database}?{urlencode(query, safe='/')}"

    def connect(self, database: str | None = None) -> pymysql.Connection[Any]:
        """An autocommit connection of the superuser."""
        return pymysql.connect(
            unix_socket=str(self.socket()),
            user="root",
            database=database,
            autocommit=True,
            connect_timeout=5,
        )

    def create_database(self, name: str) -> None:
        self.execute(f"CREATE DATABASE `{name}`")

    def drop_database(self, name: str) -> None:
        """A connection that sits in a transaction would hold DROP up: end them first."""
        for (number,) in self.execute(
            "SELECT id FROM information_schema.processlist WHERE db = %s", name
        ):
            with suppress(pymysql.err.OperationalError):  # it left meanwhile
                self.execute("KILL SOFT CONNECTION %s", number)
        self.execute(f"DROP DATABASE IF EXISTS `{name}`")

    def execute(self, statement: str, *values: object) -> tuple[tuple[Any, ...], ...]:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values)
                return cursor.fetchall()
        finally:
            connection.close()
