"""Workers: which are there, whether they live, and what each runs right now."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.responses import Response

from bide.jobs.job import Filter, JobRow, State, WorkerRow
from bide.web.glance import Glance, silent
from bide.web.routes import get
from bide.web.screens import Screens
from bide.web.sections import Section
from bide.web.visit import Visit

_MOST: Final = 200


class Crew(NamedTuple):
    """A worker, the jobs that it runs, and how many more it has claimed."""

    row: WorkerRow
    is_silent: bool
    queues: str
    running: list[JobRow]
    claimed: int


def section(screens: Screens) -> Section:
    """The workers."""
    routes = [get(screens, "/workers", page, role="jobs.view")]
    return Section("workers", "/workers", "jobs.view", routes)


def page(visit: Visit) -> Response:
    """All of them, by host."""
    seen = visit.screens.watch.look()
    hosts: dict[str, list[Crew]] = {}
    for crew in crews(visit, seen):
        hosts.setdefault(crew.row.host, []).append(crew)
    return visit.render("workers.html", is_live=True, hosts=sorted(hosts.items()))


def crews(visit: Visit, seen: Glance) -> list[Crew]:
    """Every registered worker with its jobs. A worker claims a few jobs ahead: which of them it has
    begun, it says itself with its heartbeat."""
    which = Filter(states=(State.RUNNING,))
    rows = visit.app.store.surveys.page(which, limit=_MOST).rows if seen.workers else []
    held: dict[int | None, list[JobRow]] = {}
    for row in rows:
        held.setdefault(row.worker_id, []).append(row)
    return [_crew(visit, seen, one, held.get(one.id, [])) for one in seen.workers]


def _crew(visit: Visit, seen: Glance, row: WorkerRow, held: list[JobRow]) -> Crew:
    said = {_id(one) for one in row.info.get("running") or []}
    running = [job for job in held if job.id in said]
    if held and not running:
        # It has said nothing yet of what it began since its heartbeat: the oldest claim is its job.
        running = [min(held, key=lambda job: (job.locked_at or seen.at, job.id))]
    queues = row.info.get("queues")
    named = ", ".join(map(str, queues)) if isinstance(queues, list) else ""
    is_silent = silent(row, seen.at, visit.screens.app.settings)
    return Crew(row, is_silent, named, running, len(held) - len(running))


def _id(said: Any) -> int | None:
    return said.get("id") if isinstance(said, dict) else None
