"""The audit list: who did what, and when."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.responses import Response

from bide.web.routes import get
from bide.web.screens import Screens
from bide.web.sections import Section
from bide.web.visit import Visit

_PAGE: Final = 50


def section(screens: Screens) -> Section:
    """The audit list."""
    routes = [get(screens, "/audit", page, role="jobs.view")]
    return Section("audit", "/audit", "jobs.view", routes)


def page(visit: Visit) -> Response:
    """Newest first, a page at a time; by who, what was done, and to what."""
    asked = {
        name: visit.query.get(name, "").replace("\0", "") for name in ("who", "action", "what")
    }
    before = visit.query.get("before", "")
    before_id = int(before) if before.isdecimal() and len(before) < 19 else None
    rows = visit.app.store.audit.read(
        limit=_PAGE + 1, before_id=before_id, **{name: text or None for name, text in asked.items()}
    )
    shown = [(row, _detail(visit, row.detail)) for row in rows[:_PAGE]]
    more = rows[_PAGE - 1].id if len(rows) > _PAGE else None
    return visit.render("audit.html", rows=shown, asked=asked, more=more, number_of=_number)


def _detail(visit: Visit, detail: dict[str, Any]) -> list[tuple[str, str]]:
    shown = visit.screens.shown
    return [
        (
            name,
            shown.text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)),
        )
        for name, value in detail.items()
    ]


def _number(what: str) -> str | None:
    """The id of a job, when that is what was acted on."""
    return what if what.isdecimal() else None
