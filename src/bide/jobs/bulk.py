"""Changing very many jobs, a few hundred at a time: the job that screens enqueue for it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar, Final

from bide import clock
from bide.jobs.job import UNFINISHED, Filter, State
from bide.jobs.store import Store

#: Up to so many are changed while the operator waits.
AT_ONCE: Final = 1000
#: How many one transaction changes, so that workers never wait for long.
_CHUNK: Final = 500

_CHANGEABLE: Final[dict[str, tuple[State, ...]]] = {
    "retry": (State.FAILED, State.CANCELLED, State.SCHEDULED),
    "cancel": UNFINISHED,
    "delete": tuple(State),
}


class Bulk:
    """Retries, cancels or deletes (`verb`) the jobs that a filter means, itself excepted.

    `total` is how many they were when it was asked for, for the progress. Every App knows this job; being
    run twice harms nothing.
    """

    NAME: ClassVar = "bide.bulk"

    def __init__(self, verb: str, which: Filter, *, who: str = "", total: int = 0) -> None:
        self.verb, self.who, self.total = verb, who, total
        self.which = {
            name: _plain(value) for name, value in which._asdict().items() if value is not None
        }

    @classmethod
    def stored(cls, payload: str) -> Bulk:
        """The job of a payload, without loading anything."""
        state = json.loads(payload)["state"]
        task = cls(state["verb"], Filter(), who=state["who"], total=state["total"])
        task.which = state["which"]
        return task

    def display_name(self) -> str:
        """What lists call it."""
        return self.NAME

    @property
    def filter(self) -> Filter:
        """Which jobs it still has to change."""
        given = {name: _value(name, value) for name, value in self.which.items()}
        which = Filter(**given)
        allowed = _CHANGEABLE[self.verb]
        states = allowed if which.states is None else tuple(s for s in which.states if s in allowed)
        return which._replace(states=states)

    def perform(self) -> None:
        """Do it, in the store of the job that is running."""
        from bide.jobs.handle import current_job

        job = current_job()
        if job is not None:
            self.run(job.store, spare=job.id)

    def run(self, store: Store, spare: int | None = None) -> int:
        """Do it; how many were changed."""
        which, changed, before = self.filter, 0, None
        while rows := store.find(which, limit=_CHUNK, before_id=before):
            ids = tuple(row.id for row in rows if row.id != spare)
            changed += self._change(store, which._replace(ids=ids))
            before = rows[-1].id
        return changed

    def _change(self, store: Store, which: Filter) -> int:
        now = clock.utc_now()
        if self.verb == "retry":
            return store.retry(which, now)
        return store.cancel(which, now) if self.verb == "cancel" else store.delete(which)


def left_of(store: Store, task: Bulk) -> int:
    """How many jobs it has not changed yet, counted no further than its total."""
    return store.count(task.filter, at_most=max(1, task.total))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return [int(one) for one in value] if isinstance(value, tuple) else value


def _value(name: str, value: Any) -> Any:
    if name in ("created_before", "created_after"):
        return datetime.fromisoformat(value)
    if name == "states":
        return tuple(State(one) for one in value)
    return tuple(value) if isinstance(value, list) else value
