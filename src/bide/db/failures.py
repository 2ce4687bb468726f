"""What a driver's error means to us: lost, busy, not migrated, or plainly refused."""

from __future__ import annotations

import re
from typing import Final

from sqlalchemy.exc import TimeoutError as PoolTimeout

from bide.errors import ConnectionLost, DatabaseBusy, DatabaseError, NotMigrated

#: SQLSTATE, whole or its class: the server goes, is not there yet, or only reads (a demoted primary).
#: Seen in fail-overs of a replicated PostgreSQL.
LOST_STATES: Final = ("08", "57P01", "57P02", "57P03", "57P05", "25006", "25P03", "53300")
#: Somebody else was first; nothing of this transaction took effect.
BUSY_STATES: Final = ("40001", "40P01", "40003", "55P03", "57014")
#: A pooler gave us another server connection, which knows nothing of what we prepared.
LOST_STATEMENT_STATES: Final = ("26000", "42P05")
ABSENT_STATES: Final = ("42P01", "42703", "3F000")
REFUSED_STATES: Final = ("28", "3D000")

#: MySQL and MariaDB numbers of the same meanings; 1047 is a Galera node that is not ready.
LOST_NUMBERS: Final = frozenset(
    {0, 1040, 1047, 1053, 1152, 1158, 1159, 1160, 1161, 1290, 1836, 1927, 2002, 2003}
    | {2006, 2013, 2014, 2027, 2055, 4031}
)
BUSY_NUMBERS: Final = frozenset({1020, 1205, 1213, 3572})
ABSENT_NUMBERS: Final = frozenset({1054, 1146})

_SQLITE_BUSY: Final = (5, 6)
#: libpq's words for an option of the URL; it has no code for them.
_LIBPQ_MISUSE: Final = re.compile(r"invalid \w+ value|invalid port number|invalid integer value")
_REFUSED_WORDS: Final = ("authentication failed", "does not exist", "no pg_hba.conf entry")


def translate(
    error: BaseException, doing: str, *, connecting: bool = False
) -> DatabaseError | None:
    """The error of ours that says what a driver's error means; None if it is none of a driver's.

    `connecting`: the error came while opening a connection, where most failures mean that the
    server is away.
    """
    error = _innermost(error)
    if isinstance(error, PoolTimeout):
        return DatabaseBusy(_ADVICE[DatabaseBusy].format(doing=doing, error=_one_line(error)))
    home = type(error).__module__.partition(".")[0]
    reader = {
        "psycopg": _from_state,
        "psycopg2": _from_state,
        "asyncpg": _from_state,
        "sqlalchemy": _from_state if hasattr(error, "sqlstate") else None,
        "pymysql": _from_number,
        "MySQLdb": _from_number,
        "sqlite3": _from_sqlite,
    }.get(home)
    if reader is None:
        return _from_system(error) if connecting else None
    kind = reader(error)
    if kind is DatabaseError and connecting and not _refused(error):
        kind = ConnectionLost
    if kind is ConnectionLost and connecting:
        return _unopened(error)
    return kind(_ADVICE[kind].format(doing=doing, error=_one_line(error)) + _remedy(error))


def is_absent(error: BaseException) -> bool:
    """Whether a driver's error says that a table or a column is missing."""
    return isinstance(translate(error, "the question"), NotMigrated)


def is_misuse(error: BaseException) -> bool:
    """Whether a driver refuses what it was told in the URL, before it has asked any server."""
    error = _innermost(error)
    if type(error).__module__.partition(".")[0] != "psycopg":
        return isinstance(error, (TypeError, ValueError, AttributeError, LookupError))
    if getattr(error, "sqlstate", None):
        return False
    return type(error).__name__ == "ProgrammingError" or bool(_LIBPQ_MISUSE.search(str(error)))


def _innermost(error: BaseException) -> BaseException:
    """The driver's error inside SQLAlchemy's or Django's."""
    error = getattr(error, "orig", None) or error
    if type(error).__module__.startswith("django.") and error.__cause__ is not None:
        return error.__cause__
    return error


_ADVICE: Final[dict[type[DatabaseError], str]] = {
    ConnectionLost: "The connection to the database was lost at {doing}: {error}",
    DatabaseBusy: "The database was too busy for {doing}: {error}",
    NotMigrated: "A table or column that {doing} needs is missing; run `bide migrate`: {error}",
    DatabaseError: "The database refused {doing}: {error}",
}


#: MySQL's and MariaDB's ways to say that a column's charset lacks a character of the text.
_NARROW: Final = re.compile(
    r"Incorrect string value|Cannot convert '\w+' character|Conversion from collation"
)


def _remedy(error: BaseException) -> str:
    if not _NARROW.search(str(error)):
        return ""
    return (
        "; the charset of that column lacks characters of the text: "
        "ALTER TABLE ... CONVERT TO CHARACTER SET utf8mb4"
    )


def _from_state(error: BaseException) -> type[DatabaseError]:
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if not state:
        return ConnectionLost if _is_operational(error) else DatabaseError
    for states, kind in (
        (LOST_STATES, ConnectionLost),
        (BUSY_STATES + LOST_STATEMENT_STATES, DatabaseBusy),
        (ABSENT_STATES, NotMigrated),
    ):
        if state.startswith(states):
            return kind
    return DatabaseError


def _from_number(error: BaseException) -> type[DatabaseError]:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else None
    if number in LOST_NUMBERS:
        return ConnectionLost
    if number in BUSY_NUMBERS:
        return DatabaseBusy
    return NotMigrated if number in ABSENT_NUMBERS else DatabaseError


def _from_sqlite(error: BaseException) -> type[DatabaseError]:
    code = getattr(error, "sqlite_errorcode", 0) or 0
    if code & 0xFF in _SQLITE_BUSY:
        return DatabaseBusy
    absent = ("no such table", "no such column", "has no column named")
    return NotMigrated if any(word in str(error) for word in absent) else DatabaseError


def _from_system(error: BaseException) -> DatabaseError | None:
    return _unopened(error) if isinstance(error, OSError) else None


def _unopened(error: BaseException) -> ConnectionLost:
    return ConnectionLost(f"No connection to the database could be opened: {_one_line(error)}")


def _is_operational(error: BaseException) -> bool:
    return type(error).__name__ in {"OperationalError", "InterfaceError", "ConnectionTimeout"}


def _refused(error: BaseException) -> bool:
    state = getattr(error, "sqlstate", None)
    number = error.args[0] if error.args else None
    if type(error).__module__.startswith("sqlite3") or number in (1044, 1045, 1049):
        return True
    if state:
        return str(state).startswith(REFUSED_STATES)
    return any(word in str(error) for word in _REFUSED_WORDS)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
