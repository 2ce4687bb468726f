"""How connections of PyMySQL are encrypted, and that what they share changes nothing in it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from ssl import CERT_NONE, CERT_REQUIRED
from typing import Any

import pymysql
import pytest

from bide.db.connection import Connection
from bide.db.engine import Database
from bide.db.tls import Lean
from bide.errors import ConnectionLost
from in_child import in_child
from servers.mariadb import MariaDB, with_pymysql

pytestmark = [with_pymysql, pytest.mark.timeout(120)]
with_default = pytest.mark.skipif(
    pymysql.VERSION[:2] != (1, 2), reason="bide.db.tls knows what PyMySQL 1.2 does without options"
)


@pytest.fixture
def open_database() -> Iterator[Callable[[str], Database]]:
    databases: list[Database] = []

    def opened(url: str) -> Database:
        databases.append(Database(url, busy_timeout=0))
        return databases[-1]

    yield opened
    for database in databases:
        database.close()


def looked(connection: Connection) -> tuple[str, Any]:
    """The cipher, and the context."""
    rows = connection.execute("SHOW STATUS LIKE 'Ssl_cipher'")
    return str(rows[0][1]), connection.raw.ctx


@with_default
def test_a_server_that_offers_tls_gets_it_and_no_certificates_are_read(
    start_mariadb: Callable[..., MariaDB], open_database: Callable[[str], Database]
) -> None:
    server = start_mariadb(tcp=True)
    server.create_database("shop")
    url, certificate = server.url("shop", tcp=True), server.directory / "server.crt"
    for database in open_database(url), open_database(url):
        cipher, context = database.read(looked)
        assert cipher
        assert context is Lean._context
        assert in_child(lambda database=database: database.read(looked)[0]) == cipher
    assert context.cert_store_stats()["x509_ca"] == 0

    verifying = open_database(f"{url}&ssl_ca={certificate}&ssl_check_hostname=false")
    cipher, own = verifying.read(looked)
    assert cipher
    assert own is not context
    assert own.verify_mode == CERT_REQUIRED

    stranger = other_certificate(server.directory)
    with pytest.raises(ConnectionLost, match=r"(?i)certificate verify failed"):
        open_database(f"{url}&ssl_ca={stranger}&ssl_check_hostname=false").read(looked)

    server.execute("CREATE USER sealed@'%%' REQUIRE SSL")
    server.execute("GRANT ALL ON shop.* TO sealed@'%%'")
    assert open_database(url.replace("root@", "sealed@")).read(looked)[0] == cipher


def other_certificate(directory: Path) -> Path:
    found = directory / "other.crt"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=other -keyout {directory}/other.key -out {found}"
    subprocess.run(make.split(), check=True, capture_output=True)
    return found


@with_default
def test_a_server_without_tls_is_spoken_to_without(
    mysql_url: str, open_database: Callable[[str], Database]
) -> None:
    assert open_database(mysql_url).read(looked)[0] == ""


@with_default
def test_the_shared_context_is_pymysqls_but_for_the_certificates() -> None:
    ours, theirs = (kind(defer_connect=True).ctx for kind in (Lean, pymysql.connections.Connection))
    for name in ("verify_mode", "check_hostname", "options", "verify_flags", "minimum_version"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.get_ciphers() == theirs.get_ciphers()
    assert theirs.verify_mode == CERT_NONE


@pytest.mark.parametrize("changed", ["connect", "VERSION"])
def test_a_wrapped_or_unknown_pymysql_makes_the_connections(
    mysql_url: str,
    open_database: Callable[[str], Database],
    changed: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[type] = []

    def wrapped(*args: Any, **params: Any) -> Any:
        made.append(type(pymysql.connections.Connection))
        return pymysql.connections.Connection(*args, **params)

    value = {"connect": wrapped, "VERSION": (1, 99, 0, "final")}[changed]
    monkeypatch.setattr(pymysql, changed, value)
    kind = open_database(mysql_url).read(lambda connection: type(connection.raw))
    assert kind is pymysql.connections.Connection
    assert len(made) == (changed == "connect")
