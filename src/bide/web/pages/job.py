"""One job: what it is, what became of each attempt, and what can be done."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from starlette.responses import Response
from starlette.routing import Route

from bide import clock
from bide.jobs.job import UNFINISHED, Filter, JobRow, State
from bide.jobs.names import storable
from bide.web.filters import Fields
from bide.web.routes import get, post
from bide.web.screens import Screens
from bide.web.times import from_form
from bide.web.visit import Visit

#: Priorities that every database holds.
_PRIORITIES: Final = range(-(2**31), 2**31)
_RETRIABLE: Final = (State.FAILED, State.CANCELLED, State.SCHEDULED)


def routes(screens: Screens) -> list[Route]:
    """The page and its forms."""
    return [
        get(screens, "/jobs/{id:int}", page, role="jobs.view"),
        get(screens, "/jobs/{id:int}/edit", edit, role="jobs.operate"),
        post(screens, "/jobs/{id:int}/edit", save, role="jobs.operate"),
        post(screens, "/jobs/{id:int}/retry", retry, role="jobs.operate"),
        post(screens, "/jobs/{id:int}/cancel", cancel, role="jobs.operate"),
        post(screens, "/jobs/{id:int}/delete", delete, role="jobs.administer"),
    ]


def page(visit: Visit) -> Response:
    """Everything about it."""
    row = visit.app.store.get(visit.part("id"))
    if row is None:
        return visit.render("gone.html", 404, id=visit.part("id"), history=_history(visit))
    shown, attempts = visit.screens.shown, visit.app.store.attempts(row.id)
    return visit.render(
        "job.html",
        is_live=row.state in UNFINISHED,
        row=row,
        state=State(row.state).name.lower(),
        call=shown.call(row.payload),
        raw=shown.text(row.payload),
        error=shown.text(row.last_error or ""),
        attempts=[(one, shown.text(one.error)) for one in reversed(attempts)],
        context=shown.searchable(row.context) if row.context else "",
        can=_possible(visit, row),
        history=_history(visit),
        commands=[f"bide jobs show {row.id}", f"bide jobs retry {row.id}"],
    )


def _history(visit: Visit) -> list[Any]:
    rows: list[Any] = visit.app.store.audit.read(what=str(visit.part("id")), limit=20)
    return rows


def _possible(visit: Visit, row: JobRow) -> dict[str, bool]:
    operates, administers = visit.may("jobs.operate"), visit.may("jobs.administer")
    return {
        "retry": operates and row.state in _RETRIABLE,
        "edit": operates and row.state != State.RUNNING,
        "cancel": operates and row.state in UNFINISHED,
        "delete": administers,
    }


def retry(visit: Visit) -> Response:
    """Make it ready now."""
    store, now = visit.app.store, clock.utc_now()
    return _act(visit, "retry", lambda which: store.retry(which, now))


def cancel(visit: Visit) -> Response:
    """It will not run; what a running attempt returns is ignored."""
    store, now = visit.app.store, clock.utc_now()
    return _act(visit, "cancel", lambda which: store.cancel(which, now))


def delete(visit: Visit) -> Response:
    """Remove it, also while it runs."""
    return _act(visit, "delete", visit.app.store.delete, otherwise="/jobs")


def _act(
    visit: Visit, verb: str, act: Callable[[Filter], int], otherwise: str | None = None
) -> Response:
    job_id, store = visit.part("id"), visit.app.store
    row = store.get(job_id)
    changed = act(Filter(ids=(job_id,))) if row is not None else 0
    if changed:
        visit.audit(f"jobs.{verb}", str(job_id), name=row.name, queue=row.queue)
    told = f"{verb}_done" if changed else "gone" if row is None else f"{verb}_refused"
    return visit.back(otherwise or f"/jobs/{job_id}", visit.notice(told, id=job_id))


class Edit(NamedTuple):
    """What the form holds, as text, and what is wrong with it: field and text of `bide.edit`."""

    fields: Fields
    problems: dict[str, str]


def edit(visit: Visit) -> Response:
    """The form."""
    row = _editable(visit)
    return row if isinstance(row, Response) else _form(visit, row, Edit(_fields(visit, row), {}))


def save(visit: Visit) -> Response:
    """Change the job, unless somebody else, or a worker, has changed it meanwhile."""
    row = _editable(visit)
    if isinstance(row, Response):
        return row
    changes, problems = _changes(visit, row)
    given = Fields(
        (name, visit.field(name))
        for name in ("queue", "priority", "run_at", "arguments")
        if name in visit.form
    )
    if visit.field("mark") != mark(row):
        return _form(visit, row, Edit(given, {"mark": "changed"}), 409)
    if problems:
        return _form(visit, row, Edit(given, problems), 422)
    if changes and not visit.app.store.change(row.id, clock.utc_now(), **changes):
        return visit.redirect(f"/jobs/{row.id}", visit.notice("edit_refused", id=row.id))
    if changes:
        told = {name: str(value) for name, value in changes.items() if name != "payload"}
        before = {name: str(getattr(row, name)) for name in told}
        more = {"arguments": "edited"} if "payload" in changes else {}
        visit.audit("jobs.edit", str(row.id), to=told | more, before=before)
    return visit.redirect(f"/jobs/{row.id}", visit.notice("edit_done", id=row.id))


def _editable(visit: Visit) -> JobRow | Response:
    row: JobRow | None = visit.app.store.get(visit.part("id"))
    if row is None:
        return visit.redirect(
            f"/jobs/{visit.part('id')}", visit.notice("gone", id=visit.part("id"))
        )
    if row.state == State.RUNNING:
        return visit.redirect(f"/jobs/{row.id}", visit.notice("edit_refused", id=row.id))
    return row


def _form(visit: Visit, row: JobRow, edit: Edit, status: int = 200) -> Response:
    now = _fields(visit, row) if edit.problems.get("mark") else None
    return visit.render(
        "edit.html",
        status,
        row=row,
        fields=edit.fields,
        problems=edit.problems,
        now=now,
        mark=mark(row),
    )


def _fields(visit: Visit, row: JobRow) -> Fields:
    fields = Fields(
        {
            "queue": row.queue,
            "priority": str(row.priority),
            "run_at": row.run_at.astimezone(visit.zone).strftime("%Y-%m-%dT%H:%M:%S"),
        }
    )
    if visit.may("jobs.administer"):
        try:
            fields["arguments"] = visit.screens.shown.editable(row.payload)
        except (ValueError, RecursionError, TypeError):
            return fields  # no payload of ours: nothing to edit
    return fields


def _changes(visit: Visit, row: JobRow) -> tuple[dict[str, Any], dict[str, str]]:
    """What is to be changed, and what is wrong."""
    changes: dict[str, Any] = {}
    problems: dict[str, str] = {}
    before = _fields(visit, row)
    readers: dict[str, Callable[[str], Any]] = {
        "queue": _queue,
        "priority": _priority,
        "run_at": lambda text: _moment(visit, text),
        "arguments": lambda text: _payload(visit, row, text),
    }
    for name, read in readers.items():
        text = visit.field(name).replace("\r\n", "\n")
        if name not in before or name not in visit.form or text == before[name]:
            continue
        try:
            changes["payload" if name == "arguments" else name] = read(text)
        except (ValueError, RecursionError, OverflowError):
            problems[name] = f"wrong_{name}"
    return changes, problems


def _queue(text: str) -> str:
    if not text or len(text) > 255 or storable(text) != text:
        raise ValueError(text)
    return text


def _priority(text: str) -> int:
    number = int(text)
    if number not in _PRIORITIES:
        raise ValueError(text)
    return number


def _moment(visit: Visit, text: str) -> datetime:
    moment = from_form(text, visit.zone).astimezone(UTC)
    if not 2000 <= moment.year < 9000:
        raise ValueError(text)
    return moment


def _payload(visit: Visit, row: JobRow, text: str) -> str:
    payload = visit.screens.shown.edited(row.payload, text)
    if len(payload.encode()) > visit.app.settings.max_payload_size:
        raise ValueError("too large")
    return payload


def mark(row: JobRow) -> str:
    """Changes with everything that the form edits; hours that a job lost by a run count too."""
    told = (
        row.key,
        row.queue,
        row.priority,
        row.run_at.isoformat(),
        row.payload,
        row.state,
        row.lease,
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()[:32]
