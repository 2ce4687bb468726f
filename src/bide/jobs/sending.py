"""What a store may offer besides `insert`: to be given jobs without waiting until they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bide.jobs.job import NewJob
from bide.jobs.store import Store


class Insertion(Protocol):
    """Jobs on their way into a store, which works on them while the caller prepares others."""

    def ids(self) -> list[int]:
        """Wait until they are stored; the id of each, in order. Raises what `insert` raises."""
        ...


class Inserting(Protocol):
    """A store that can be given jobs without waiting. Optional: `insert` says the same."""

    def send_insert(self, jobs: Sequence[NewJob]) -> Insertion | None:
        """Send what `insert` would store in a transaction of its own; the ids must be fetched. None:
        nothing was sent."""
        ...


class Sent:
    """Jobs that were stored when somebody waited for it."""

    def __init__(self, ids: list[int]) -> None:
        self._ids = ids

    def ids(self) -> list[int]:
        """The id of each."""
        return self._ids


def send(store: Store, jobs: Sequence[NewJob]) -> Insertion | None:
    """Give jobs to a store that may or may not be one for this."""
    inserting: Inserting | None = store if hasattr(store, "send_insert") else None  # type: ignore[assignment]
    return None if inserting is None else inserting.send_insert(jobs)
