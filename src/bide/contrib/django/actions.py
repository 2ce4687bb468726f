"""What operators do to jobs from the admin, noted in the list of what operators did."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from bide import clock
from bide.app import App
from bide.contrib.django.application import project_app
from bide.errors import NotMigrated
from bide.jobs.audit import AuditEntry
from bide.jobs.job import Filter, State


def retry(app: App, which: Filter) -> int:
    """Failed and cancelled jobs become ready, with no attempts behind them."""
    ended = which._replace(states=(State.FAILED, State.CANCELLED))
    return app.store.retry(ended, clock.utc_now())


def run_now(app: App, which: Filter) -> int:
    """Scheduled jobs become ready now; their attempts stay."""
    waiting = which._replace(states=(State.SCHEDULED,))
    return app.store.retry(waiting, clock.utc_now(), reset_attempts=False)


def cancel(app: App, which: Filter) -> int:
    """Unfinished jobs will not run (again)."""
    return app.store.cancel(which, clock.utc_now())


def delete(app: App, which: Filter) -> int:
    """Jobs go, with their attempts and results."""
    return app.store.delete(which)


#: By the names that the screens and the command line use.
ACTIONS: dict[str, Callable[[App, Filter], int]] = {
    "retry": retry,
    "run_now": run_now,
    "cancel": cancel,
    "delete": delete,
}


#: Up to so many jobs are noted one by one, each with its history; of more the number and the choice.
EACH: Final = 100


def act(action: str, ids: Collection[int], user: Any, chosen_by: str = "") -> int:
    """Do it to those jobs, in the name of a user of Django; how many it changed.

    `chosen_by` tells how very many were chosen, for the list of what operators did. What changed
    nothing is not noted.
    """
    app: App = project_app()
    changed = ACTIONS[action](app, Filter(ids=tuple(ids)))
    if not changed:
        return 0
    now, who = clock.utc_now(), user.get_username()
    told: dict[str, dict[str, Any]] = {str(one): {"via": "admin"} for one in ids}
    if len(ids) > EACH:
        told = {chosen_by or "*": {"via": "admin", "number": changed}}
    try:
        app.store.audit.write(
            [AuditEntry(now, who, f"jobs.{action}", what, detail) for what, detail in told.items()]
        )
    except NotMigrated:  # tables of an older version have no such list
        return changed
    return changed
