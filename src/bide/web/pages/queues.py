"""Queues: what waits in each, for how long, and whether it is paused."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bide import clock
from bide.errors import NotMigrated
from bide.jobs.job import State
from bide.jobs.statistics import Statistic
from bide.web.routes import get, post
from bide.web.screens import Screens
from bide.web.sections import Section
from bide.web.visit import Visit

#: The states in the order of the columns.
COLUMNS: Final = (State.READY, State.RUNNING, State.SCHEDULED, State.FAILED)
_LONGEST_NAME: Final = 255


def section(screens: Screens) -> Section:
    """The queues."""
    routes = [
        get(screens, "/queues", page, role="jobs.view"),
        post(screens, "/queues/pause", pause, role="jobs.operate"),
        post(screens, "/queues/resume", resume, role="jobs.operate"),
    ]
    return Section("queues", "/queues", "jobs.view", routes)


def page(visit: Visit) -> Response:
    """All of them, by name."""
    seen = visit.screens.watch.look()
    hour = _last_hour(visit)
    return visit.render(
        "queues.html", is_live=True, seen=seen, columns=[one.name.lower() for one in COLUMNS],
        numbers=lambda row: [(s.name.lower(), row.counts.get(s, 0)) for s in COLUMNS], hour=hour,
    )  # fmt: skip


def _last_hour(visit: Visit) -> dict[str, Statistic]:
    """What was done in each queue within an hour."""
    since = clock.utc_now() - timedelta(hours=1)
    try:
        rows = visit.app.store.statistics.read(since, by=("queue",))
    except NotMigrated:
        return {}
    return {row.queue: row for row in rows}


def pause(visit: Visit) -> Response:
    """No job of the queue is started from now on."""
    name = _named(visit)
    changed = visit.app.store.pause(name, clock.utc_now())
    return _done(visit, "paused", name, changed=changed)


def resume(visit: Visit) -> Response:
    """Its jobs are started again."""
    name = _named(visit)
    return _done(visit, "resumed", name, changed=visit.app.store.resume(name))


def _named(visit: Visit) -> str:
    name = visit.field("queue")
    if not 0 < len(name) <= _LONGEST_NAME:
        raise HTTPException(400, "other")
    return name


def _done(visit: Visit, done: str, name: str, *, changed: bool) -> Response:
    if changed:
        visit.audit(f"queues.{'pause' if done == 'paused' else 'resume'}", name)
    key = done if changed else f"already_{done}"
    return visit.redirect("/queues", visit.notice(key, queue=name))
