"""Surveys of this process' memory: the model for those of databases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal

from bide.jobs.job import Filter, JobRow, QueueRow, State
from bide.jobs.store import Wanted
from bide.jobs.stores.shelf import Shelf, matches
from bide.jobs.surveys import AMONG, MOST, Group, Page, first_line


class MemorySurveys:
    """The group Surveying of the memory store; `turn` gives the right to look at the shelf."""

    def __init__(
        self,
        turn: Callable[[], AbstractContextManager[None]],
        shelf: Shelf,
        paused: Mapping[str, datetime],
    ) -> None:
        self._turn, self._shelf, self._paused = turn, shelf, paused

    def page(
        self, which: Filter, *, limit: int = 50, after: str | None = None, among: int = AMONG
    ) -> Page:
        """Jobs that `which` means, a page at a time."""
        near = self._near(which)
        known = [str(row.id) for row in near]
        start = known.index(after) + 1 if after in known else 0
        looked_at = near[start : start + among]
        found = [row for row in looked_at if matches(which, row)]
        if len(found) > limit:
            return Page(found[:limit], str(found[limit - 1].id))
        more = len(near) > start + among
        return Page(found, str(looked_at[-1].id) if more else None, looked_through=more)

    def counts(self, *, at_most: int = MOST) -> dict[State, int]:
        """How many jobs are in each state, counted up to `at_most`."""
        with self._turn():
            counted = Counter(State(row.state) for row in self._shelf.rows.values())
        return {state: min(number, at_most) for state, number in counted.items()}

    def queues(self, *, at_most: int = MOST) -> list[QueueRow]:
        """Every queue that has jobs or is paused, by name."""
        with self._turn():
            names = {row.queue for row in self._shelf.rows.values()} | set(self._paused)
            rows = [self._shelf.queue(name, self._paused.get(name)) for name in sorted(names)]
        return [
            row._replace(counts={state: min(n, at_most) for state, n in row.counts.items()})
            for row in rows
        ]

    def groups(
        self, which: Filter, by: Literal["name", "error"], *, among: int = MOST
    ) -> list[Group]:
        """The jobs that `which` means, told apart, the largest group first."""
        rows = [row for row in self._near(which)[:among] if matches(which, row)]
        values = {row.id: row.name if by == "name" else first_line(row.last_error) for row in rows}
        numbers = Counter(values.values())
        newest = {values[row.id]: row.id for row in sorted(rows)}
        return [Group(value, number, newest[value]) for value, number in numbers.most_common()]

    def _near(self, which: Filter) -> list[JobRow]:
        """What an index would find, in the order of the list."""
        with self._turn():
            rows = self._shelf.matching(Filter(states=which.states))
            if which.states is None or len(which.states) != 1:
                return sorted(rows, reverse=True)
            [state] = which.states
            if state == State.READY:
                first = self._shelf.first_ready(Wanted(), (), len(rows))
                line = {row.id: place for place, row in enumerate(first)}
                mine = [row for row in rows if which.queue in (None, row.queue)]
                return sorted(mine, key=lambda row: (row.queue, row.priority, line[row.id]))
        return sorted(rows, key=_moment_of(state), reverse=state != State.SCHEDULED)


def _moment_of(state: State) -> Callable[[JobRow], tuple[Any, int]]:
    name = {State.SCHEDULED: "run_at", State.RUNNING: "locked_at"}.get(state, "finished_at")
    return lambda row: (getattr(row, name), row.id)
