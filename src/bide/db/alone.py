"""One process at a time brings the tables of a prefix up to date; the others wait and find it done."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import Connection, text

from bide.db.engine import Database
from bide.errors import DatabaseBusy, DatabaseError

#: Runs a statement and returns its rows.
Ask = Callable[[str], Iterable[Sequence[Any]]]

#: Seconds to wait for another process that migrates.
PATIENCE: Final = 60

#: Locks of MySQL have names of 64 characters at most, and are the whole server's.
_NAME: Final = "CONCAT('bide ', SHA1(CONCAT(DATABASE(), ' {prefix}')))"


@contextlib.contextmanager
def alone(database: Database) -> Iterator[Connection]:
    """A connection on which nobody else migrates; in a transaction where DDL belongs to one.

    Raises DatabaseBusy, DatabaseError.
    """
    with database.turn(), database.engine.connect() as connection, contextlib.ExitStack() as stack:
        stack.callback(connection.rollback)
        if database.kind == "mysql":
            ask = asking(connection)
            stack.enter_context(alone_in_session(ask, database.table_prefix))
            stack.callback(connection.rollback)
        else:
            for statement in _BEGIN[database.kind]:
                connection.execute(text(statement.format(number=_number(database.table_prefix))))
        yield connection
        connection.commit()


_BEGIN: Final = {
    "postgresql": (
        f"SET LOCAL lock_timeout = '{PATIENCE}s'",
        "SELECT pg_advisory_xact_lock({number})",
    ),
    "sqlite": ("BEGIN IMMEDIATE",),
}


def _number(prefix: str) -> int:
    return zlib.crc32(f"{prefix}migrate".encode())


@contextlib.contextmanager
def alone_in_session(ask: Ask, prefix: str) -> Iterator[None]:
    """In a session of MySQL or MariaDB. Its lock outlasts the commits of the statements that are run
    meanwhile, and goes with the session. Raises DatabaseBusy, DatabaseError.
    """
    name = _NAME.format(prefix=prefix)
    [(taken,)] = ask(f"SELECT GET_LOCK({name}, {PATIENCE})")
    if taken is None:
        raise DatabaseError(
            f"the server gives no lock for migrating the tables {prefix}*: the URL names no database, "
            "or somebody has ended the wait for it"
        )
    if taken != 1:
        raise DatabaseBusy(
            f"another process has been migrating the tables {prefix}* for {PATIENCE} seconds; wait "
            "for it and run the migration again"
        )
    try:
        yield
    except BaseException:
        with contextlib.suppress(Exception):  # the session may be gone, and its lock with it
            ask(f"SELECT RELEASE_LOCK({name})")
        raise
    ask(f"SELECT RELEASE_LOCK({name})")


def asking(connection: Connection) -> Ask:
    """How SQLAlchemy's connection asks."""
    return lambda statement: connection.execute(text(statement)).all()
