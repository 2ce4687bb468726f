"""The first page: whether all is well, and what is going on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from starlette.responses import Response

from bide.errors import NotMigrated
from bide.jobs.job import State
from bide.jobs.statistics import Statistic
from bide.web.charts import SPANS, Series, run_times, series, throughput
from bide.web.glance import troubles
from bide.web.pages.workers import crews
from bide.web.routes import get
from bide.web.screens import Screens
from bide.web.sections import Section
from bide.web.visit import Visit

#: The states in the order of the tiles.
TILES: Final = (State.FAILED, State.RUNNING, State.READY, State.SCHEDULED)


def section(screens: Screens) -> Section:
    """The overview."""
    routes = [get(screens, "/overview", page, role="jobs.view")]
    return Section("overview", "/overview", "jobs.view", routes)


def page(visit: Visit) -> Response:
    """Everything at a glance."""
    screens, seen = visit.screens, visit.screens.watch.look()
    span = visit.query.get("span", "1h")
    span = span if span in SPANS else "1h"
    counted = _counted(visit, seen.at, span)
    return visit.render(
        "overview.html",
        is_live=True,
        seen=seen,
        troubles=troubles(seen, screens.app.settings),
        tiles=[(state.name.lower(), seen.counts.get(state, 0)) for state in TILES],
        crews=crews(visit, seen),
        counted=counted,
        throughput=None if counted is None else throughput(counted),
        run_times=None if counted is None else run_times(counted),
        span=span,
        spans=list(SPANS),
        busiest=_busiest(visit, counted),
    )


def _counted(visit: Visit, now: datetime, span: str) -> Series | None:
    """The statistics of a span; None where the tables are older than they."""
    length, step = SPANS[span]
    try:
        rows = visit.app.store.statistics.read(now - length - step, step=step, by=())
    except NotMigrated:
        return None
    return series(rows, now, span)


def _busiest(visit: Visit, counted: Series | None) -> list[Statistic]:
    """What took most time, by name."""
    if counted is None:
        return []
    rows = visit.app.store.statistics.read(counted.start, by=("name",))
    return sorted(rows, key=lambda row: row.run_seconds, reverse=True)[:8]
