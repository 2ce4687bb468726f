"""What a worker has told and asked the store without waiting: reports of finished jobs, the next claim."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from bide import clock
from bide.errors import ConnectionLost, DatabaseError
from bide.jobs.exchange import Exchange, Exchanging
from bide.jobs.handle import Home, Job
from bide.jobs.store import Lease, Wanted, WorkerRef
from bide.workers.ahead import CRASHES, Ahead
from bide.workers.finishes import Finishes
from bide.workers.hand import Hand

#: Seconds of work that may be in hand and under way together; slower jobs gain nothing by it.
SWIFT: Final = 0.05


class _Sent(NamedTuple):
    exchange: Exchange
    leases: list[Lease]
    limit: int


class Flight:
    """At most one exchange at a time. Any thread may `land` it; the lock is the one of claims."""

    def __init__(
        self,
        home: Home,
        worker: Callable[[], WorkerRef],
        wanted: Wanted,
        hand: Hand,
        finishes: Finishes,
        ahead: Ahead,
    ) -> None:
        store: Exchanging | None = home.store if hasattr(home.store, "exchange") else None  # type: ignore[assignment]
        self._store, self._home = store, home
        self._worker, self._wanted = worker, wanted
        self._hand, self._finishes, self._ahead = hand, finishes, ahead
        self._sent: _Sent | None = None

    @property
    def expected(self) -> int:
        """How many jobs may be on their way."""
        sent = self._sent
        return sent.limit if sent is not None else 0

    def send(self, limit: int) -> None:
        """Report what is done and claim `limit` more, if the jobs in hand will be done soon."""
        if self._store is None or self._ahead.seconds(2 * limit) > SWIFT:
            return
        with self._hand.claiming:
            leases = self._finishes.simple()
            if self._sent is not None or leases is None:
                return
            try:
                exchange = self._store.exchange(
                    self._worker(), leases, self._wanted, limit, clock.utc_now()
                )
            except ConnectionLost:
                self._lost(leases)
                return
            if exchange is not None:
                self._finishes.sent()
                self._sent = _Sent(exchange, leases, limit)

    def land(self) -> bool:
        """Take in the answer, if one is to come: claimed jobs are in hand then. Whether as many came
        as were asked for. A lost connection leaves the reports to the next flush."""
        with self._hand.claiming:
            sent, self._sent = self._sent, None
            if sent is None:
                return False
            try:
                done, rows = sent.exchange.answer()
            except ConnectionLost:
                self._lost(sent.leases)
                return False
            if not isinstance(done, DatabaseError):
                self._finishes.answered(sent.leases, done)
            jobs = [Job(self._home, row) for row in rows]
            self._hand.take([(job.id or 0, job.lease) for job in jobs])
            self._ahead.put(jobs)
            return len(rows) == sent.limit and not any(map(CRASHES, rows))

    def _lost(self, leases: list[Lease]) -> None:
        self._finishes.unanswered(leases)
        self._hand.doubt()
