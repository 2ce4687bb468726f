"""What a store may offer besides its verbs: to be told and asked without waiting for the answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from bide.errors import DatabaseError
from bide.jobs.job import JobRow
from bide.jobs.store import Lease, Wanted, WorkerRef


class Exchanged(NamedTuple):
    """What an exchange brought. `done`: the ids of finished jobs, or why none was finished."""

    done: set[int] | DatabaseError
    claimed: list[JobRow]


class Exchange(Protocol):
    """A report and a claim on their way; a store works on them while the caller does something else."""

    def answer(self) -> Exchanged:
        """Wait for both. Raises ConnectionLost: nobody knows then what took effect."""
        ...


class Exchanging(Protocol):
    """A store that may be told and asked without waiting. Optional: finish and claim say the same."""

    def exchange(
        self, worker: WorkerRef, leases: Sequence[Lease], wanted: Wanted, limit: int, now: datetime
    ) -> Exchange | None:
        """Send what `finish` (keep=False) and `claim` would do, each taking effect by itself; its
        answer must be fetched. None: nothing was sent, do one after the other. Raises ConnectionLost.
        """
        ...
