"""What is done to many jobs: shown and confirmed with their number first, at once or by a job."""

from __future__ import annotations

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from bide import clock
from bide.jobs.bulk import AT_ONCE, Bulk, left_of
from bide.jobs.job import UNFINISHED, Filter, State
from bide.jobs.surveys import MOST
from bide.web.filters import Chosen, chosen, ids_of
from bide.web.pages import search
from bide.web.routes import get, post
from bide.web.screens import Screens
from bide.web.visit import Visit

#: Who may do it.
ROLES: Final = {"retry": "jobs.operate", "cancel": "jobs.operate", "delete": "jobs.administer"}
_EXAMPLES: Final = 8


def routes(screens: Screens) -> list[Route]:
    """Asking, doing, and how far a job is that does it."""
    return [
        get(screens, "/jobs/confirm", ask, role="jobs.operate"),
        post(screens, "/jobs/confirm", ask, role="jobs.operate"),
        post(screens, "/jobs/bulk", do, role="jobs.operate"),
        get(screens, "/jobs/bulk/{id:int}", progress, role="jobs.view"),
    ]


def ask(visit: Visit) -> Response:
    """How many they are, and whether it is meant."""
    verb, asked = _meant(visit)
    return _ask(visit, verb, asked, changed=False)


def do(visit: Visit) -> Response:
    """Do it, if they are as many as was confirmed; many of them by a job."""
    verb, asked = _meant(visit)
    which = _exact(visit, verb, asked.which)
    number = _number(visit, verb, which)
    if visit.field("number") != str(number):
        return _ask(visit, verb, asked, changed=True)
    what = _what(visit, asked)
    if number > AT_ONCE:
        return _by_a_job(visit, verb, which, what)
    task = Bulk(verb, which, who=visit.name)
    done = task.run(visit.app.store)
    visit.audit(f"jobs.{verb}", what, number=done)
    return visit.redirect("/jobs", asked.fields | visit.notice(f"bulk_{verb}", count=done))


def progress(visit: Visit) -> Response:
    """How far a job is that changes many."""
    row = visit.app.store.get(visit.part("id"))
    task = Bulk.stored(row.payload) if row is not None and row.name == Bulk.NAME else None
    left = 0 if task is None else left_of(visit.app.store, task)
    return visit.render(
        "progress.html", is_live=True, row=row, task=task, left=left, id=visit.part("id")
    )


def _meant(visit: Visit) -> tuple[str, Chosen]:
    """Verb and jobs, of the address or of the form."""
    given: dict[str, Any] = dict(visit.query) | {
        name: value for name, value in visit.form.items() if isinstance(value, str)
    }
    ids = ids_of([*visit.query.getlist("ids"), *visit.form.getlist("ids")])
    verb = given.get("verb", "")
    if verb not in ROLES or not visit.may(ROLES[verb]):
        raise HTTPException(403, "role")
    asked = search.guarded(visit, chosen(given, visit.zone, ids or None))
    if asked.problems:
        raise HTTPException(400, "other")
    return verb, asked


def _exact(visit: Visit, verb: str, which: Filter) -> Filter:
    """The filter; of a search for text the jobs that show it, at most MOST of them, since the database
    would find what is hidden too."""
    if which.text is None:
        return which
    found = search.shown_ids(visit, _possible(verb, which), MOST)
    return which._replace(ids=found, text=None)


def _ask(visit: Visit, verb: str, asked: Chosen, *, changed: bool) -> Response:
    which = _possible(verb, _exact(visit, verb, asked.which))
    number = _number(visit, verb, which)
    examples = visit.app.store.surveys.page(which, limit=_EXAMPLES).rows if number else []
    return visit.render(
        "confirm.html",
        409 if changed else 200,
        verb=verb,
        fields=asked.fields,
        ids=asked.which.ids or (),
        number=number,
        examples=examples,
        changed=changed,
        by_a_job=number > AT_ONCE,
    )


def _number(visit: Visit, verb: str, which: Filter) -> int:
    number: int = visit.app.store.count(_possible(verb, which), at_most=MOST)
    return number


def _possible(verb: str, which: Filter) -> Filter:
    """Those whose state allows it."""
    allowed: tuple[State, ...] = {
        "retry": (State.FAILED, State.CANCELLED, State.SCHEDULED),
        "cancel": UNFINISHED,
    }.get(verb, tuple(State))
    states = allowed if which.states is None else tuple(s for s in which.states if s in allowed)
    return which._replace(states=None if states == tuple(State) else states)


def _by_a_job(visit: Visit, verb: str, which: Filter, what: str) -> Response:
    total = visit.app.store.count(_possible(verb, which))
    now = clock.utc_now()
    until = now if which.created_before is None else min(now, which.created_before)
    task = Bulk(verb, which._replace(created_before=until), who=visit.name, total=total)
    job = visit.app.enqueue(task, priority=-100)
    visit.audit(f"jobs.{verb}", what, number=total, job=job.id)
    if job.id is None:  # jobs run where they are enqueued, so it is done
        return visit.redirect("/jobs", visit.notice(f"bulk_{verb}", count=total))
    return visit.redirect(f"/jobs/bulk/{job.id}")


def _what(visit: Visit, asked: Chosen) -> str:
    """The jobs, in the words of the address."""
    ids = asked.which.ids
    if ids is not None:
        return ", ".join(map(str, ids))
    return ", ".join(f"{name}={value}" for name, value in asked.fields.items()) or "*"
