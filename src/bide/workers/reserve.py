"""Claiming jobs ahead, starting them in order, reporting them together, giving the rest back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from bide import clock
from bide.errors import ConnectionLost, DatabaseBusy, DatabaseError, FatalBackendError, WorkerStop
from bide.events import emit
from bide.jobs.handle import Home, Job
from bide.jobs.store import Wanted, WorkerRef
from bide.workers.ahead import CRASHES, Ahead, leases
from bide.workers.finishes import Finishes
from bide.workers.flight import Flight
from bide.workers.hand import Hand
from bide.workers.insist import Insistence
from bide.workers.returns import Returns
from bide.workers.settings import Settings
from bide.workers.signals import Requests

#: Failed reservations in a row that no reconnecting can cure, until the worker gives up (DJ-112).
MOST_ERRORS = 10
#: The share of the time after which a silent worker is given up, after which it asks whether it was.
DOUBTFUL = 0.75


class Claimer(Protocol):
    """Whose claims these are."""

    requests: Requests

    @property
    def ref(self) -> WorkerRef: ...


class Reserver:
    """Between one worker's thread and the store. The keeper's thread may call `relieve` and `trusted`."""

    def __init__(
        self,
        home: Home,
        worker: Claimer,
        wanted: Wanted,
        settings: Settings,
        insistence: Insistence,
    ) -> None:
        self._home, self._worker, self._wanted = home, worker, wanted
        self._settings = settings
        self.insistence = insistence
        self._ahead = Ahead(settings.read_ahead)
        self._first = self._ahead.first
        store, interval = home.store, settings.heartbeat_interval

        def who() -> WorkerRef:
            return worker.ref

        self.hand = Hand(store, who, interval)
        self.finishes = Finishes(store, who, self.hand, keep=settings.keep_finished > 0)
        self._returns = Returns(store, who, self.hand)
        self._flight = Flight(home, who, wanted, self.hand, self.finishes, self._ahead)
        self.hand.land = self._flight.land
        self._patience = interval * settings.missed_heartbeats * DOUBTFUL
        #: Until then (monotonic) the store has surely not given this worker up, which may be suspended or
        #: cut off for long.
        self.known_until = clock.monotonic() + self._patience
        self._errors = 0
        self._most = settings.read_ahead
        #: Learn how many seconds a job ran.
        self.took: Callable[[float], None] = self._ahead.took

    @property
    def waiting(self) -> int:
        """How many jobs are claimed and not started."""
        return len(self._ahead) + self._flight.expected

    @property
    def troubled(self) -> bool:
        """Whether «no job» may only mean that the database could not be asked (DJ-516)."""
        return self.insistence.lost or self._errors > 0

    def next(self, number: int, *, more: bool = False) -> Job | None:
        """The next job to start, claiming up to `number` if none is in hand.

        With `more` the worker will go on behind that number, so that claims for then may be sent.
        """
        # Whoever asks how many wait may be told of some that the keeper takes back.
        try:
            job = self._first()
        except IndexError:
            pass  # what is raised in a claim has nothing to do with it
        else:
            if job.crashes:
                self._leave_alone()
            return job
        self._claim(number, more=more)
        late = self._ahead.next()
        if late is not None and late.crashes:
            self._leave_alone()
        return late

    def report(self) -> None:
        """Report what is done."""
        self.insistence.on(self._flush)

    def give_up(self, job: Job) -> None:
        """`job` was cut short by the worker's end: it goes back, now or when the worker leaves."""
        self._returns.add(leases([job]))
        with suppress(DatabaseError):
            self._returns.flush()

    def settle(self) -> None:
        """Nothing claimed or finished stays in hand between batches."""
        try:
            self.insistence.on(self._flush)
            self.insistence.on(self.give_back)
        except WorkerStop:
            emit("outcome_unwritten", worker=self._worker.ref.name)

    def leave(self) -> None:
        """The same without insisting, when the worker ends."""
        self._flush()
        self.give_back()

    def relieve(self) -> None:
        """A slow job runs: what waits behind it goes back to others, what is done is reported."""
        try:
            self.give_back()
            self._flush()
        except DatabaseError:
            return

    def trusted(self, *, again: bool) -> None:
        """The store knows this worker; if only anew, what it had claimed belongs to others now."""
        self._flight.land()
        if not again:
            self.hand.drop(leases(self._ahead.take()))
        self.known_until = clock.monotonic() + self._patience

    def heard(self, moment: float) -> None:
        """The keeper of the fleet reached the store for this worker at that (monotonic) moment."""
        self.known_until = max(self.known_until, moment + self._patience)

    def give_back(self) -> None:
        """Release what was claimed and not started; when that fails, with the next try."""
        self._flight.land()
        self._returns.add(leases(self._ahead.take()))
        self._returns.flush()

    def _leave_alone(self) -> None:
        """A job that killed a worker before runs with nothing else in hand."""
        self.insistence.on(self._flush)
        self.insistence.on(self.give_back)

    def _flush(self) -> None:
        # Otherwise another thread might send what is about to be reported here.
        with self.hand.claiming:
            self._flight.land()
            self.finishes.flush()

    def _claim(self, number: int, *, more: bool = False) -> None:
        """Have jobs in hand; when that many came that there are probably others, ask for those too."""
        full = self._flight.land()
        if self._worker.requests.quiet:
            return
        limit = min(number, self._ahead.room(), self._most)
        if not self._ahead:
            self._claim_now(limit)
            full = len(self._ahead) == limit > 1
        if full and (more or number > len(self._ahead)):
            self._flight.send(min(self._ahead.room(), self._most))
        if self.waiting > 1:
            self._worker.requests.call_keeper()

    def _claim_now(self, number: int) -> None:
        self.insistence.on(self._flush)
        self.insistence.on(self._returns.flush)
        try:
            self._claim_once(number)
        except (ConnectionLost, DatabaseBusy) as error:
            self._wait_for_database(error, number)
        except Exception as error:  # noqa: BLE001 - counted; ten in a row end the worker
            self._failed(error)

    def _claim_once(self, number: int) -> None:
        self.hand.compare()
        with self.hand.claiming:
            rows = self._home.store.claim(self._worker.ref, self._wanted, number, clock.utc_now())
            self.hand.take([(row.id, row.lease) for row in rows])
        self._errors = 0
        self._ahead.put([Job(self._home, row) for row in rows])
        self._learn(any(map(CRASHES, rows)))

    def _learn(self, suspicious: bool) -> None:
        """Jobs that must run alone come in swarms: then few are claimed, that few go back unrun."""
        self._most = 1 if suspicious else min(self._most * 2, self._settings.read_ahead)

    def _wait_for_database(self, error: Exception, number: int) -> None:
        """A lost database is waited for as long as it takes; its first refusal is `error`."""
        self.hand.doubt()
        refusals = [error]

        def claim() -> None:
            if refusals:
                raise refusals.pop()
            self._claim_once(number)

        self.insistence.on(claim, idle=True)

    def _failed(self, error: Exception) -> None:
        self._errors += 1
        emit("reserve_failed", worker=self._worker, error=error, in_a_row=self._errors)
        if self._errors >= MOST_ERRORS:
            raise FatalBackendError(
                f"{self._errors} reservations in a row failed, the last with "
                f"{type(error).__name__}: {error}"
            ) from error
