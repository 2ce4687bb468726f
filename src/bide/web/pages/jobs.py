"""Lists of jobs: by state, grouped by name or by error, searched and filtered."""

from __future__ import annotations

from itertools import takewhile
from typing import Any, Final, Literal

from starlette.responses import Response

from bide.jobs.bulk import AT_ONCE
from bide.jobs.job import JobRow, State
from bide.jobs.surveys import AMONG, MOST, Group, Page
from bide.web.filters import STATES, Chosen, chosen
from bide.web.pages import bulk, job, search
from bide.web.routes import get
from bide.web.screens import Screens
from bide.web.sections import Section
from bide.web.visit import Visit

_PAGE: Final = 50
#: Which bulk actions a list offers.
VERBS: Final = {
    "": ("retry", "cancel", "delete"),
    "failed": ("retry", "delete"),
    "running": ("cancel", "delete"),
    "ready": ("cancel", "delete"),
    "scheduled": ("retry", "cancel", "delete"),
    "succeeded": ("delete",),
    "cancelled": ("retry", "delete"),
}


def section(screens: Screens) -> Section:
    """The lists, each job's page, and what is done to many."""
    routes = [
        get(screens, "/jobs", page, role="jobs.view"),
        *bulk.routes(screens),
        *job.routes(screens),
    ]
    return Section("jobs", "/jobs", "jobs.view", routes)


def page(visit: Visit) -> Response:
    """A list, or its groups."""
    asked = search.guarded(visit, chosen(visit.query, visit.zone))
    by = visit.query.get("by", "")
    grouping: Literal["name", "error"] | None = (
        "name" if by == "name" else "error" if by == "error" else None
    )
    counts = visit.screens.watch.counts()
    context: dict[str, Any] = {
        "asked": asked,
        "fields": asked.fields,
        "by": grouping or "",
        "tabs": [(name, _count(counts, name)) for name in STATES],
        "verbs": _verbs(visit, asked),
        "is_live": True,
    }
    if grouping is not None:
        return _groups(visit, asked, grouping, context)
    found = _found(visit, asked)
    return visit.render(
        "jobs.html",
        rows=[(row, _first(visit, row)) for row in found.rows],
        found=found,
        groups=None,
        paged="after" in visit.query,
        among=AMONG,
        **context,
    )


def _groups(
    visit: Visit, asked: Chosen, by: Literal["name", "error"], context: dict[str, Any]
) -> Response:
    groups: list[Group] = []
    whole, most = True, MOST
    if asked.which.text is not None and not asked.problems:
        found = _found(visit, asked, limit=AT_ONCE)
        groups, whole, most = search.grouped(found.rows, by), found.after is None, AT_ONCE
    elif not asked.problems:
        groups = visit.app.store.surveys.groups(asked.which, by)
        whole = sum(group.number for group in groups) < MOST
    told = [_told(visit, group) for group in groups[:200]]
    return visit.render(
        "jobs.html", groups=told, whole=whole, most=most, rows=[], found=Page([], None), paged=False,
        among=AMONG, **context,
    )  # fmt: skip


def _told(visit: Visit, group: Group) -> tuple[Group, str]:
    """The group as it is shown; its link says of an error no more than that."""
    told = visit.screens.shown.beginning(group.value)
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(told, group.value, strict=False))
    return group._replace(value="".join(known for known, _ in pairs)), told


def _found(visit: Visit, asked: Chosen, limit: int = _PAGE) -> Page:
    """A page; of a search for text only jobs that show it, so that nobody finds out what is hidden."""
    if asked.problems:
        return Page([], None)
    surveys, after = visit.app.store.surveys, visit.query.get("after")
    found: Page = surveys.page(asked.which, limit=limit, after=after)
    text = asked.which.text
    if text is None:
        return found
    return found._replace(rows=[row for row in found.rows if search.shows(visit, row, text)])


def _verbs(visit: Visit, asked: Chosen) -> list[str]:
    return [verb for verb in VERBS[asked.state] if visit.may(bulk.ROLES[verb])]


def _count(counts: dict[State, int], name: str) -> int | None:
    return counts.get(State[name.upper()], 0) if name else None


def _first(visit: Visit, row: JobRow) -> str:
    """The first line of the error, not too long."""
    line = (row.last_error or "").partition("\n")[0]
    return str(visit.screens.shown.text(line))[:300]
