"""Writing the outcome of a failed attempt, until the database has taken it and we know that it has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bide.errors import DatabaseError
from bide.jobs.store import Failure, Store, WorkerRef
from bide.workers.hand import Hand
from bide.workers.insist import Insistence


class Writing:
    """Repeats what the database did not answer; what may have been written before is looked up."""

    def __init__(
        self, store: Store, worker: Callable[[], WorkerRef], hand: Hand, insistence: Insistence
    ) -> None:
        self._store, self._worker, self._hand = store, worker, hand
        self._insistence = insistence

    def write(self, failure: Failure, now: datetime, *, keep: bool) -> bool:
        """Record `failure`; False when its lease was lost and nothing was recorded."""
        worker, maybe_written = self._worker(), False

        def once() -> bool:
            nonlocal maybe_written
            try:
                if failure.run_at is not None:
                    written = self._store.retry_later(worker, failure, now)
                else:
                    written = self._store.fail(worker, failure, now, keep=keep)
                return written or (maybe_written and self._was_written(failure, keep=keep))
            except DatabaseError:
                maybe_written = True
                raise

        written = self._insistence.on(once)
        self._hand.drop([(failure.id, failure.lease)])
        return written

    def _was_written(self, failure: Failure, *, keep: bool) -> bool:
        if failure.run_at is None and not keep:
            return self._store.get(failure.id) is None
        return any(
            (one.lease, one.kind) == (failure.lease, failure.kind)
            for one in self._store.attempts(failure.id)
        )
