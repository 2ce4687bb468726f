"""PostgreSQL: what holds old rows, loses acknowledged jobs, or keeps notifications away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from bide.db.connection import Connection, Row
from bide.db.engine import Database
from bide.db.health.plan import Check, Plan
from bide.forks.findings import ERROR, OK, WARNING, Finding

_DEAD_ROWS: Final = """
    SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables
    WHERE relname LIKE :pattern
"""
#: What keeps dead rows from being removed, the oldest first; a standby's snapshot comes by its feedback.
_HOLDERS: Final = """
    SELECT 'session ' || pid, application_name, extract(epoch FROM clock_timestamp() - began)::float8,
           coalesce(left(query, 200), '')
    FROM (SELECT *, coalesce(xact_start, backend_start) AS began FROM pg_stat_activity
          WHERE backend_xmin IS NOT NULL AND pid <> pg_backend_pid()) AS sessions
    WHERE clock_timestamp() - began >= make_interval(secs => :old)
    UNION ALL
    SELECT 'prepared transaction ' || gid, owner::text,
           extract(epoch FROM clock_timestamp() - prepared)::float8, 'database ' || database
    FROM pg_prepared_xacts WHERE clock_timestamp() - prepared >= make_interval(secs => :old)
    UNION ALL
    SELECT 'replication slot ' || slot_name, coalesce(plugin, slot_type), NULL,
           age(xmin) || ' transactions behind' FROM pg_replication_slots
    WHERE xmin IS NOT NULL AND (NOT active OR age(xmin) > 10000)
    ORDER BY 3 DESC NULLS LAST
"""
_STANDBYS: Final = """
    SELECT application_name, coalesce(client_addr::text, 'this machine'), sync_state
    FROM pg_stat_replication ORDER BY 1
"""
_SETTINGS: Final = """
    SELECT name, setting FROM pg_settings
    WHERE name IN ('fsync', 'full_page_writes', 'max_connections', 'superuser_reserved_connections')
"""
_CLIENTS: Final = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
_NOTIFY_ADVICE: Final = (
    "everything works, but idle workers hear of new jobs by looking, every 2 s at the latest; "
    "connect the workers to PostgreSQL itself, or to a pool in session mode"
)


def _standby(database: Database, _: Plan) -> Iterable[Finding]:
    [[recovering]] = database.read(lambda c: c.execute("SELECT pg_is_in_recovery()"))
    if recovering:
        advice = "name the primary, e.g. with every host and ?target_session_attrs=read-write"
        yield Finding(ERROR, "database", "this server is a standby, which only reads", advice)


def _old_snapshots(database: Database, plan: Plan) -> Iterable[Finding]:
    pattern = database.table_prefix.replace("_", r"\_") + "%"
    [[dead]] = database.read(lambda c: c.execute(_DEAD_ROWS, {"pattern": pattern}))
    holders = database.read(lambda c: c.execute(_HOLDERS, {"old": plan.old}))
    if dead <= plan.dead_rows or not holders:
        held = f"{len(holders)} older than {plan.old:g} s"
        yield Finding(OK, "old snapshots", f"{dead:,} dead rows in our tables; snapshots: {held}")
        return
    for holder in holders:
        yield Finding(
            WARNING,
            "old snapshots",
            f"{_described(holder)} keeps {dead:,} dead rows of our tables from being removed: each "
            "claim walks past them",
            "end it: SELECT pg_terminate_backend(pid), ROLLBACK PREPARED or pg_drop_replication_slot",
        )


def _described(holder: Row) -> str:
    what, who, seconds, doing = holder
    age = f", open for {seconds:,.0f} s" if seconds is not None else ""
    return f"{what} ({who or 'without application_name'}{age}: {' '.join(doing.split())})"


def _standbys(database: Database, _: Plan) -> Iterable[Finding]:
    standbys = database.read(lambda c: c.execute(_STANDBYS))
    if not standbys:
        return
    listed = ", ".join(f"{name or 'unnamed'} at {where} ({how})" for name, where, how in standbys)
    if any(how in ("sync", "quorum") for _, _, how in standbys):
        yield Finding(OK, "standbys", listed)
        return
    text = f"only asynchronous standbys: {listed}; a fail-over loses jobs that were acknowledged"
    advice = "set synchronous_standby_names, or accept to lose the last moments"
    yield Finding(WARNING, "standbys", text, advice)


def _server_settings(database: Database, plan: Plan) -> Iterable[Finding]:
    values: dict[str, str] = dict(database.read(lambda c: c.execute(_SETTINGS)))
    for name in ("fsync", "full_page_writes"):
        if values.get(name) == "off":
            text = f"{name} is off: a crash of the machine can destroy the database"
            yield Finding(WARNING, "durability", text, f"set {name} = on")
    [[used]] = database.read(lambda c: c.execute(_CLIENTS))
    most = int(values["max_connections"]) - int(values["superuser_reserved_connections"])
    needed = plan.processes * plan.connections_each
    text = f"{used} of {most} connections are in use, {plan.processes} workers need up to {needed}"
    level = WARNING if used + needed > most else OK
    advice = "" if level == OK else "raise max_connections, or put PgBouncer in front"
    yield Finding(level, "connections of the server", text, advice)


def _pooler(database: Database, _: Plan) -> Iterable[Finding]:
    """A pooler answers with a process number of its own making at login."""
    told, true = database.read(_numbers)
    if told == true:
        yield Finding(OK, "pooler", "none: connections lead to PostgreSQL itself")
    elif database.read(lambda first: _shared(database, first)):
        text = "a pooler in transaction mode (PgBouncer?) stands in between: LISTEN hears nothing"
        yield Finding(WARNING, "pooler", text, _NOTIFY_ADVICE)
    else:
        yield Finding(OK, "pooler", "a pooler in session mode stands in between")


def _numbers(connection: Connection) -> tuple[Any, Any]:
    return connection.raw.info.backend_pid, _backend(connection)


def _backend(connection: Connection) -> Any:
    return connection.execute("SELECT pg_backend_pid()")[0][0]


def _shared(database: Database, first: Connection) -> bool:
    """Whether another connection is given the server process that served this one a moment ago."""
    for _ in range(5):
        mine = _backend(first)
        if database.run(_backend) == mine:
            return True
    return False


CHECKS: Final[tuple[Check, ...]] = (
    _standby,
    _pooler,
    _server_settings,
    _standbys,
    _old_snapshots,
)
