"""The drivers that carry our own statements, and what each needs to be told."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy.engine import Dialect as SqlDialect
from sqlalchemy.engine.url import URL

from bide.db.dialects import Dialect
from bide.db.failures import LOST_STATEMENT_STATES
from bide.db.urls import shown
from bide.errors import MissingDependency, SettingsError

if TYPE_CHECKING:
    import sqlite3


class Driver(Protocol):
    """What differs between drivers on our own path."""

    #: The DB-API parameter style of its cursors.
    style: str
    #: What opens a transaction, one statement after the other.
    begin: tuple[str, ...]
    #: What makes a connection of our own engine; None: SQLAlchemy, as ever.
    connect: Callable[..., Any] | None

    def __hash__(self) -> int: ...

    def connect_options(self) -> dict[str, Any]:
        """Arguments for the driver's connect()."""
        ...

    def opened(self, raw: Any) -> None:
        """Prepare a connection that was just opened."""
        ...

    def cursor(self, raw: Any) -> Any: ...

    def execute(self, cursor: Any, text: str, params: Any, prepare: bool) -> None: ...

    def has_rows(self, cursor: Any) -> bool:
        """Whether the last statement of the cursor brought rows, were it none."""
        ...

    def compile(self, query: Any) -> tuple[str, Any]:
        """A SQLAlchemy Core statement as text and parameters for `execute`."""
        ...

    def failed(self, error: BaseException) -> None:
        """Learn from an error of the driver."""
        ...

    def socket_of(self, raw: Any) -> int | None:
        """The descriptor of its connection to a server; None where there is none."""
        ...

    def pipelines(self) -> bool:
        """Whether statements may be sent before the answers to others have come."""
        ...


def first_number() -> int:
    """Where a connection begins to number its prepared statements.

    A pooler may put it through to a connection of the server on which other clients have prepared theirs;
    if all counted from one, it would run a statement of theirs.
    """
    return int.from_bytes(os.urandom(7))


class Psycopg:
    """PostgreSQL through psycopg 3."""

    style = "pyformat"
    begin: tuple[str, ...] = ("BEGIN",)
    connect: Callable[..., Any] | None = None

    def __init__(self, dialect: SqlDialect) -> None:
        self._dialect = dialect
        #: Cleared when the server, or a pooler in front of it, loses prepared statements.
        self.prepares = True

    def connect_options(self) -> dict[str, Any]:
        return {"connect_timeout": 10, "keepalives_idle": 10, "application_name": "bide"}

    def opened(self, raw: Any) -> None:
        """Nothing: what we need is set on our cursor, so that a shared connection stays as it is."""

    def cursor(self, raw: Any) -> Any:
        from psycopg.types.numeric import Int8Dumper

        cursor = raw.cursor()
        # By default the size of an int chooses its type, and each mix of types is prepared anew.
        cursor.adapters.register_dumper(int, Int8Dumper)
        names: Any = getattr(raw, "_prepared", None)
        if hasattr(names, "_prepared_idx"):  # no part of the driver's promises
            names._prepared_idx += first_number()
        return cursor

    def execute(self, cursor: Any, text: str, params: Any, prepare: bool) -> None:
        cursor.execute(text, params, prepare=prepare and self.prepares)

    def has_rows(self, cursor: Any) -> bool:
        # Its description would describe every column.
        return cursor.pgresult is not None and cursor.pgresult.nfields > 0

    def compile(self, query: Any) -> tuple[str, Any]:
        return _compile(query, self._dialect)

    def failed(self, error: BaseException) -> None:
        if getattr(error, "sqlstate", None) in LOST_STATEMENT_STATES:
            self.prepares = False

    def socket_of(self, raw: Any) -> int | None:
        return raw.fileno()  # type: ignore[no-any-return]

    def pipelines(self) -> bool:
        from psycopg import Pipeline

        return self.prepares and Pipeline.is_supported()


#: Seconds for which a server may be silent while one logs in.
LOGIN: Final = 10.0


class MySQL:
    """MySQL and MariaDB through PyMySQL or mysqlclient."""

    style = "pyformat"
    begin: tuple[str, ...] = ("START TRANSACTION",)
    connect: Callable[..., Any] | None = None

    def __init__(self, dialect: SqlDialect, *, shared: bool) -> None:
        self._dialect = dialect
        if (
            dialect.driver == "mysqldb"
        ):  # which imports them at its first connection: in every child
            for part in ("connections", "converters", "constants.FLAG"):
                import_module(f"MySQLdb.{part}")
        if dialect.driver == "pymysql":
            self.connect = import_module("bide.db.tls").connect
        if shared:  # the application's sessions keep their own isolation
            self.begin = ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", *self.begin)

    def connect_options(self) -> dict[str, Any]:
        # Without a strict mode the server cuts texts instead of refusing them (DJ-522).
        session = (
            "SET SESSION time_zone = '+00:00', "
            "sql_mode = CONCAT(@@SESSION.sql_mode, ',STRICT_ALL_TABLES')"
        )
        options = {"connect_timeout": 10, "charset": "utf8mb4", "init_command": session}
        # PyMySQL only minds the time until somebody accepts, which the kernel of a frozen server does.
        return options | ({"read_timeout": LOGIN} if self._dialect.driver == "pymysql" else {})

    def opened(self, raw: Any) -> None:
        """No gap is locked, so that claims and the application's statements do not collide."""
        with raw.cursor() as cursor:
            cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        if getattr(raw, "_read_timeout", None) is LOGIN:  # not what the URL says
            raw._read_timeout = None
        decoders = getattr(raw, "decoders", None)  # of PyMySQL, which takes moments apart in Python
        if decoders is not None:
            decoders[_DATETIME] = _moment

    def cursor(self, raw: Any) -> Any:
        return raw.cursor()

    def execute(self, cursor: Any, text: str, params: Any, prepare: bool) -> None:
        # Never None: the driver would leave `%%` as it is.
        cursor.execute(text, params)

    def has_rows(self, cursor: Any) -> bool:
        return cursor.description is not None

    def compile(self, query: Any) -> tuple[str, Any]:
        return _compile(query, self._dialect)

    def failed(self, error: BaseException) -> None:
        """Nothing to learn."""

    def socket_of(self, raw: Any) -> int | None:
        if hasattr(raw, "fileno"):
            return raw.fileno()  # type: ignore[no-any-return]
        sock = getattr(raw, "_sock", None)
        return sock.fileno() if sock is not None else None

    def pipelines(self) -> bool:
        return False


#: The number of the type DATETIME in the protocol.
_DATETIME: Final = 12


def _moment(text: str) -> datetime | str:
    """What PyMySQL makes of a moment; one that Python does not have stays a text."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return text


#: SQLite waits for the disk now and then, not at each commit.
NORMAL: Final = "NORMAL"


class Sqlite:
    """SQLite through the standard library."""

    style = "named"
    begin: tuple[str, ...] = ("BEGIN IMMEDIATE",)
    connect: Callable[..., Any] | None = None

    def __init__(self, dialect: SqlDialect, *, synchronous: str) -> None:
        self._dialect = dialect
        self._synchronous = synchronous

    def connect_options(self) -> dict[str, Any]:
        # SQLite's own waiting starves a waiter for a second; ours is in bide.db.engine.
        return {"timeout": 0, "check_same_thread": False, "cached_statements": 256}

    def opened(self, raw: Any) -> None:
        for pragma in (
            f"synchronous={self._synchronous}",
            "journal_size_limit=16777216",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "cache_size=-16000",
        ):
            raw.execute(f"PRAGMA {pragma}")

    def cursor(self, raw: sqlite3.Connection) -> Any:
        return raw.cursor()

    def execute(self, cursor: Any, text: str, params: Any, prepare: bool) -> None:
        cursor.execute(text, params)

    def has_rows(self, cursor: Any) -> bool:
        return cursor.description is not None

    def compile(self, query: Any) -> tuple[str, Any]:
        return _compile(query, self._dialect)

    def failed(self, error: BaseException) -> None:
        """Nothing to learn."""

    def socket_of(self, raw: Any) -> int | None:
        return None

    def pipelines(self) -> bool:
        return False


def _compile(query: Any, dialect: SqlDialect) -> tuple[str, Any]:
    compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    params = compiled.params
    if compiled.positiontup is not None:
        return str(compiled), tuple(params[name] for name in compiled.positiontup)
    return str(compiled), params


#: First part of a URL's scheme -> kind of database.
KINDS: Final = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
    "sqlite": "sqlite",
}
#: What the URL of a SQLite file may say behind the ?, besides `uri` and what comes with that.
SQLITE_OPTIONS: Final = frozenset(
    {"timeout", "isolation_level", "detect_types", "check_same_thread", "cached_statements"}
)
_USABLE: Final = {
    "postgresql": ("psycopg",),
    "mysql": ("pymysql", "mysqldb"),
    "sqlite": ("pysqlite",),
}


def kind_of(url: URL) -> str:
    """postgresql, mysql or sqlite; SettingsError for any other."""
    kind = KINDS.get(url.get_backend_name())
    if kind is None:
        raise SettingsError(
            f"database URL {shown(url)!r} names no database that Bide knows; use "
            "sqlite:///file.db, postgresql://host/name or mysql://host/name"
        )
    return kind


def with_driver(url: URL) -> URL:
    """The URL with the driver that we use: psycopg, PyMySQL or mysqlclient, sqlite3."""
    kind = kind_of(url)
    named = url.drivername.partition("+")[2]
    if named and named not in _USABLE[kind]:
        raise SettingsError(
            f"database URL {shown(url)!r} asks for the driver {named!r}; Bide's own "
            f"connections use {' or '.join(_USABLE[kind])}: leave the driver out of the URL"
        )
    return url.set(drivername=f"{kind}+{named or _choose(kind)}")


def _choose(kind: str) -> str:
    if kind == "sqlite":
        return "pysqlite"
    modules = {
        "postgresql": {"psycopg": "psycopg"},
        # mysqlclient for those who name it: its connections cannot be refused by name in a child.
        "mysql": {"pymysql": "pymysql", "MySQLdb": "mysqldb"},
    }
    for module, name in modules[kind].items():
        try:
            __import__(module)
        except ImportError:
            continue
        return name
    raise MissingDependency({"postgresql": "PostgreSQL", "mysql": "MySQL"}[kind], kind)


def dialect_of(dialect: SqlDialect) -> Dialect:
    """Product and version, as SQLAlchemy found them at its first connection."""
    version = tuple(part for part in dialect.server_version_info or () if isinstance(part, int))
    if dialect.name == "postgresql":
        return Dialect("PostgreSQL", version)
    if dialect.name == "sqlite":
        from sqlite3 import sqlite_version_info

        return Dialect("SQLite", sqlite_version_info)
    return Dialect("MariaDB" if getattr(dialect, "is_mariadb", False) else "MySQL", version)
