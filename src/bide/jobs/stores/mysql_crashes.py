"""Workers of MySQL that leave or die, and what becomes of the jobs they held."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from bide.db.connection import Connection, Row
from bide.db.dialects import moment_in
from bide.db.engine import Database
from bide.db.statements import Statements
from bide.jobs.store import SILENT, Lease, Loss, Rescued, WorkerRef
from bide.jobs.stores.mysql_claims import Claims, batches
from bide.jobs.stores.rows import recordable

Limits = tuple[int, int]


class Crashes:
    """Rescue, `crashed` and `retire`. Jobs are locked by the primary key in its order."""

    def __init__(self, database: Database, statements: Statements, claims: Claims) -> None:
        self._database = database
        self._statements = statements
        self._claims = claims

    def rescue(
        self, silent_for: timedelta, now: datetime, limits: Limits, dead: Collection[int]
    ) -> list[Rescued]:
        """Take the jobs of workers that are dead, silent by the server's clock, or not registered."""
        params = {"silent": silent_for // timedelta(microseconds=1), "dead": (-1, *dead)}

        def work(connection: Connection) -> list[Rescued]:
            gone = self._ids(connection, "lock_dead", params)
            holders = [*gone, *self._unregistered(connection)]
            rows = self._lock_running(connection, holders)
            rescued = self._crash(connection, rows, SILENT, now, limits)
            if gone:
                connection.execute(self._statements["drop_workers"], {"ids": tuple(gone)})
            return rescued

        return self._database.run(work)

    def crashed(
        self, worker: WorkerRef, lease: Lease, loss: Loss, now: datetime, limits: Limits
    ) -> Rescued | None:
        """Count a crash on one job, if the lease is still the worker's."""

        def work(connection: Connection) -> list[Rescued]:
            rows = self._lock(connection, [lease[0]], [worker.id])
            held = [row for row in rows if row[_LEASE] == lease[1]]
            return self._crash(connection, held, loss, now, limits)

        rescued = self._database.run(work)
        return rescued[0] if rescued else None

    def retire(self, worker: WorkerRef) -> int:
        """Forget the worker and give back what it holds."""

        def work(connection: Connection) -> int:
            connection.execute(self._statements["drop_workers"], {"ids": (worker.id,)})
            rows = self._lock_running(connection, [worker.id])
            self._claims.make_ready(connection, [row[0] for row in rows])
            return len(rows)

        return self._database.run(work)

    def _unregistered(self, connection: Connection) -> set[int]:
        # In this order: a worker that claims was registered before.
        running = self._ids(connection, "running_workers", {})
        return set(running) - set(self._ids(connection, "known_workers", {}))

    def _lock_running(self, connection: Connection, workers: Sequence[int]) -> list[Row]:
        if not workers:
            return []
        ids = self._ids(connection, "running_of", {"workers": tuple(workers)})
        return self._lock(connection, ids, workers)

    def _lock(
        self, connection: Connection, ids: Sequence[int], workers: Sequence[int]
    ) -> list[Row]:
        statement = self._statements["lock_running"]
        rows: list[Row] = []
        for some in batches(ids):
            params = {"ids": tuple(some), "workers": tuple(workers)}
            rows += connection.execute(statement, params)
        return rows

    def _crash(
        self, connection: Connection, rows: Sequence[Row], loss: Loss, now: datetime, limits: Limits
    ) -> list[Rescued]:
        rescued = [_counted(row, limits) for row in rows]
        params = {
            "now": moment_in("mysql", now),
            "error": recordable(loss.error),
            "kind": loss.kind,
        }
        for some in batches([one.id for one in rescued]):
            for name in ("record_crashes", "count_crashes"):
                connection.execute(self._statements[name], params | {"ids": tuple(some)})
        for some in batches([one.id for one in rescued if one.failed]):
            connection.execute(self._statements["fail_crashed"], params | {"ids": tuple(some)})
        self._claims.make_ready(connection, [one.id for one in rescued if not one.failed])
        return rescued

    def _ids(self, connection: Connection, name: str, params: dict[str, Any]) -> list[int]:
        return [number for (number,) in connection.execute(self._statements[name], params)]


#: The place of the lease in a row of lock_running.sql.
_LEASE = 3


def _counted(row: Row, limits: Limits) -> Rescued:
    job_id, name, queue, lease, attempts, crashes, own_limit, worker = row
    max_attempts = limits[1] if own_limit is None else own_limit
    over = crashes + 1 >= limits[0] or attempts + 1 >= max_attempts
    return Rescued(job_id, name, queue, lease, attempts + 1, crashes + 1, worker or "", over)
