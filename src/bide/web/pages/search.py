"""Searching for text in such a way that nobody finds out what is hidden."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

from bide.jobs.job import Filter, JobRow
from bide.jobs.surveys import Group, first_line
from bide.web.filters import Chosen
from bide.web.visit import Visit

_CHUNK: Final = 500


def guarded(visit: Visit, asked: Chosen) -> Chosen:
    """What was chosen; no job, where it names the beginning of an error with what errors hide."""
    error = asked.which.error
    if error is None or visit.screens.shown.beginning(error) == error:
        return asked
    return asked._replace(which=asked.which._replace(ids=()))


def shows(visit: Visit, row: JobRow, text: str) -> bool:
    """Whether the screens show that text of a job, in name, arguments or error."""
    shown = visit.screens.shown
    parts = (row.name, shown.text(row.last_error or ""), shown.searchable(row.payload))
    return any(text in part for part in parts)


def shown_ids(visit: Visit, which: Filter, most: int) -> tuple[int, ...]:
    """The ids of the newest `most` jobs that show the text which the filter asks for."""
    found: list[int] = []
    before: int | None = None
    while len(found) < most:
        rows = visit.app.store.find(which, limit=_CHUNK, before_id=before)
        if not rows:
            break
        found += [row.id for row in rows if shows(visit, row, str(which.text))]
        before = rows[-1].id
    return tuple(found[:most])


def grouped(rows: list[JobRow], by: Literal["name", "error"]) -> list[Group]:
    """As the store groups them, the largest group first."""
    values = [(row.name if by == "name" else first_line(row.last_error), row.id) for row in rows]
    newest = dict(sorted(values, key=lambda one: one[1]))
    counts = Counter(value for value, _ in values)
    return [Group(value, number, newest[value]) for value, number in counts.most_common()]
