"""Looking at a database: whether it can carry the queue, and what holds it up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bide import clock
from bide.db import pool
from bide.db.connection import Connection
from bide.db.dialects import moment_from
from bide.db.engine import Database
from bide.db.health import mysql, postgresql, sqlite
from bide.db.health.plan import Check, Plan
from bide.db.migrate import Line, versions
from bide.errors import BideError
from bide.forks import threads
from bide.forks.findings import ERROR, OK, WARNING, Finding

#: Seconds that the clocks may lie apart before it is told, before it is an error.
_SKEW, _TOO_MUCH_SKEW = 1.0, 10.0
_NOW: Final = {"postgresql": "SELECT clock_timestamp()", "mysql": "SELECT UTC_TIMESTAMP(6)"}
_BEFORE: Final[dict[str, Sequence[Check]]] = {"sqlite": sqlite.BEFORE}
_CHECKS: Final[dict[str, Sequence[Check]]] = {
    "postgresql": postgresql.CHECKS,
    "mysql": mysql.CHECKS,
    "sqlite": sqlite.CHECKS,
}


def let_go() -> None:
    """End and close what Bide itself does before every fork, so that only others' are told."""
    pool.close_sqlite_before_fork()
    threads.end_ours()


def examine(
    database: Database,
    lines: Sequence[Line],
    optional: Sequence[Line] = (),
    plan: Plan | None = None,
) -> list[Finding]:
    """Every finding about `database`; what cannot be looked at is a finding too, never an error.

    `lines`: the migrations that must have run; `optional` ones may be absent as a whole.
    """
    plan, where = plan or Plan(), database.url.render_as_string()
    before = _guarded(database, plan, _BEFORE.get(database.kind, ()))
    if any(each.level == ERROR for each in before):
        return before
    try:
        server = database.dialect
    except BideError as error:
        advice = "start the server, or correct the database URL"
        return [*before, Finding(ERROR, "database", f"{where} cannot be used: {error}", advice)]
    return [
        *before,
        Finding(OK, "database", f"{server} answers at {where}"),
        *_guarded(database, plan, [_clock, *_CHECKS[database.kind]]),
        *(_migrated(database, line, may_be_absent=False) for line in lines),
        *(_migrated(database, line, may_be_absent=True) for line in optional),
    ]


def _guarded(database: Database, plan: Plan, checks: Iterable[Check]) -> list[Finding]:
    found: list[Finding] = []
    for check in checks:
        try:
            found += check(database, plan)
        except Exception as error:  # noqa: BLE001 - one check that fails must not hide the others
            name = check.__name__.strip("_").replace("_", " ")
            found.append(Finding(WARNING, name, f"could not be looked at: {error}"))
    return found


def _migrated(database: Database, line: Line, *, may_be_absent: bool) -> Finding:
    tables = f"{database.table_prefix}{line.version_table.partition('_')[0]}*"
    try:
        found, needed = versions(database, line)
    except BideError as error:
        return Finding(ERROR, "tables", f"{tables} could not be looked at: {error}")
    if found == needed:
        return Finding(OK, "tables", f"{tables} are at version {found}, the newest")
    if found is None and may_be_absent:
        return Finding(
            OK, "tables", f"{tables} are not there; only texts in the database need them"
        )
    state = "are not there" if found is None else f"are at version {found}"
    text = f"the tables {tables} {state}; version {needed} is needed"
    return Finding(ERROR, "tables", text, "run `bide migrate`")


def _clock(database: Database, _: Plan) -> Iterable[Finding]:
    """Jobs become due, and workers are given up for dead, by the clocks of the hosts."""
    if database.kind not in _NOW:
        return
    skew, doubt = database.read(lambda connection: _skew(connection, _NOW[database.kind]))
    text = (
        f"the server's clock differs from this host's by {skew:+.3f} s (give or take {doubt:.3f} s)"
    )
    if abs(skew) - doubt < _SKEW:
        yield Finding(OK, "clock", text)
        return
    level = ERROR if abs(skew) >= _TOO_MUCH_SKEW else WARNING
    yield Finding(level, "clock", text, "let NTP set the clocks of the server and of every host")


def _skew(connection: Connection, statement: str) -> tuple[float, float]:
    """Seconds that the server is ahead, and half of the time that asking took."""
    before = clock.utc_now()
    [[answer]] = connection.execute(statement)
    doubt = (clock.utc_now() - before) / 2
    return (moment_from(answer) - before - doubt).total_seconds(), doubt.total_seconds()
