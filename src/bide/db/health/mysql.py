"""MySQL and MariaDB: whether texts are cut in silence, and which isolation is in force."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bide.db.connection import Connection
from bide.db.engine import Database
from bide.db.health.plan import Check, Plan
from bide.forks.findings import ERROR, OK, WARNING, Finding

_STRICT: Final = ("STRICT_ALL_TABLES", "STRICT_TRANS_TABLES")


def _strict_mode(database: Database, _: Plan) -> Iterable[Finding]:
    """Ours is set for each session; the application's own writes have the server's."""
    ours = database.read(lambda c: _variables(c, "SESSION", "sql_mode"))["sql_mode"]
    theirs = database.read(lambda c: _variables(c, "GLOBAL", "sql_mode"))["sql_mode"]
    advice = "SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',STRICT_TRANS_TABLES')"
    if not _is_strict(ours):
        text = (
            f"Bide's own sessions are not strict ({ours or 'empty'}): long texts are cut in silence"
        )
        yield Finding(ERROR, "strict mode", text, advice)
    elif not _is_strict(theirs):
        text = f"the server is not strict by default ({theirs or 'empty'}); Bide's sessions are"
        yield Finding(WARNING, "strict mode", text, advice)
    else:
        yield Finding(OK, "strict mode", f"strict: {theirs}")


def _isolation(database: Database, _: Plan) -> Iterable[Finding]:
    ours = database.read(lambda c: _level(c, "SESSION"))
    theirs = database.read(lambda c: _level(c, "GLOBAL"))
    text = f"{ours} in Bide's sessions, {theirs} by default"
    if theirs == "SERIALIZABLE":
        advice = "set transaction_isolation to READ-COMMITTED: each read takes locks now"
        yield Finding(WARNING, "isolation", text, advice)
    elif ours != "READ-COMMITTED" and not database.shared:
        yield Finding(WARNING, "isolation", text, "READ-COMMITTED locks no gaps between rows")
    else:
        yield Finding(OK, "isolation", text)


def _read_only(database: Database, _: Plan) -> Iterable[Finding]:
    if database.read(lambda c: _variables(c, "GLOBAL", "read_only")).get("read_only") == "ON":
        text = "the server is read-only, a replica perhaps"
        yield Finding(ERROR, "database", text, "name the primary in the database URL")


def _connections(database: Database, plan: Plan) -> Iterable[Finding]:
    most = database.read(lambda c: _variables(c, "GLOBAL", "max_connections"))["max_connections"]
    rows = database.read(lambda c: c.execute("SHOW GLOBAL STATUS LIKE 'Threads_connected'"))
    used, needed = int(rows[0][1]), plan.processes * plan.connections_each
    text = f"{used} of {most} connections are in use, {plan.processes} workers need up to {needed}"
    if used + needed > int(most):
        yield Finding(WARNING, "connections of the server", text, "raise max_connections")
    else:
        yield Finding(OK, "connections of the server", text)


def _cluster(database: Database, _: Plan) -> Iterable[Finding]:
    rows = database.read(lambda c: c.execute("SHOW GLOBAL STATUS LIKE 'wsrep_cluster_size'"))
    if rows and int(rows[0][1] or 0) > 1:
        text = f"a Galera cluster of {rows[0][1]} nodes: claims through several nodes collide at COMMIT"
        yield Finding(
            WARNING, "cluster", text, "let every worker use one node, the others on its loss"
        )


def _is_strict(mode: str) -> bool:
    return any(word in mode.split(",") for word in _STRICT)


def _level(connection: Connection, scope: str) -> str:
    """MariaDB before 11.1 has only the older name."""
    found = _variables(connection, scope, "t%_isolation")
    return str(found.get("transaction_isolation") or found["tx_isolation"])


def _variables(connection: Connection, scope: str, pattern: str) -> dict[str, Any]:
    rows = connection.execute(f"SHOW {scope} VARIABLES LIKE :pattern", {"pattern": pattern})
    return {name: str(value) for name, value in rows}


CHECKS: Final[tuple[Check, ...]] = (_strict_mode, _isolation, _read_only, _connections, _cluster)
