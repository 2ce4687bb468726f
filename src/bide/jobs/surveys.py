"""Looking at very many jobs in bounded time: what screens ask a store, and how it answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, Literal, NamedTuple, Protocol

from bide.jobs.job import Filter, JobRow, QueueRow, State

#: No count goes further; screens show one more than this as "10,000+".
MOST: Final = 10_000
#: How many jobs one page looks through for those that fit.
AMONG: Final = 10_000
#: Characters of an error that tell one from another: of its first line.
ERROR_LENGTH: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Page(NamedTuple):
    """A page of a list. `after` is where the next page begins, None at the end; `looked_through` says
    that the page ended because it had looked through many jobs, not because it was full."""

    rows: list[JobRow]
    after: str | None
    looked_through: bool = False


class Group(NamedTuple):
    """Jobs that have a name, or the first line of an error, in common."""

    value: str
    number: int
    newest_id: int


class Surveying(Protocol):
    """Answers whose cost does not grow with the number of jobs."""

    def page(
        self, which: Filter, *, limit: int = 50, after: str | None = None, among: int = AMONG
    ) -> Page:
        """Jobs that `which` means, a page at a time; looks through `among` jobs at most.

        Of one state alone: ready ones by queue, in it in the order of the claim; scheduled ones by
        run_at; ended ones newest end first; running ones newest start first. Otherwise newest first.
        An `after` that no page gave begins at the first.
        """
        ...

    def counts(self, *, at_most: int = MOST) -> dict[State, int]:
        """How many jobs are in each state, none of them counted further than `at_most`."""
        ...

    def queues(self, *, at_most: int = MOST) -> list[QueueRow]:
        """As `Reading.queues`, with counts that stop: of ready jobs at `at_most` in each queue, of the
        other states at `at_most` over all queues. The oldest ready job is looked for among the first of
        each priority."""
        ...

    def groups(
        self, which: Filter, by: Literal["name", "error"], *, among: int = MOST
    ) -> list[Group]:
        """The jobs that `which` means, told apart by name or error, the largest group first; looks
        through `among` jobs at most, those that `page` shows first."""
        ...


def first_line(error: str | None) -> str:
    """What groups of errors are called."""
    return (error or "").partition("\n")[0][:ERROR_LENGTH]


def mark_of(moment: datetime) -> int:
    """A moment as marks of pages hold it: microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment_of(mark: int) -> datetime:
    """The moment of a mark, UTC. Raises OverflowError for what is none."""
    return _EPOCH + timedelta(microseconds=mark)
