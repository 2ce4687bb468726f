"""`bide.Job`: a job as application code, hooks and workers hold it."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any, Generic, NamedTuple

from typing_extensions import TypeVar

from bide import clock
from bide.errors import (
    DeserializationError,
    EnqueueError,
    JobNotFound,
    JobStateError,
    UnsupportedResult,
)
from bide.jobs.brought_back import Payload
from bide.jobs.hooks import ask
from bide.jobs.job import AttemptRow, Filter, JobRow, NewJob, State
from bide.jobs.results import Kept
from bide.jobs.store import Store
from bide.log_formats import add_fields, job_fields

#: What the job returns; a bare `Job` is of any result.
R = TypeVar("R", default=Any)


def option(payload: Payload, name: str, *args: Any) -> Any:
    """What the job object (or opted-in target) answers, else what `@app.job(...)` was told, else None."""
    answer = None if payload.object is None else ask(payload.object, name, *args)
    if answer is not None or payload.declared is None:
        return answer
    return getattr(payload.declared.options, name, None)


_current: ContextVar[Job | None] = ContextVar("bide_current_job", default=None)


def current_job() -> Job | None:
    """The job that this thread or task is running, None outside of jobs."""
    return _current.get()


def _of_current_job() -> dict[str, Any]:
    job = _current.get()
    return job_fields(job) if job is not None else {}


add_fields(_of_current_job)


class Home(NamedTuple):
    """Where a job belongs: its store, how its payload is brought back from the column or, where it was just
    enqueued, from the call; how results are written and read."""

    store: Store
    decode: Callable[[str], Payload]
    write: Callable[[Any], str] = json.dumps
    read: Callable[[str], Any] = json.loads
    live: Callable[[Any], Payload] | None = None


class Job(Generic[R]):
    """One job: its row as last read, and what may be done with it.

    Before it is stored `id` is None and hooks may change queue, priority and run_at. `state` is one of
    `scheduled, ready, running, failed, succeeded, cancelled`. All times are aware, UTC.
    """

    __slots__ = (
        "_call",
        "_home",
        "_payload_object",
        "at_work",
        "attempts",
        "context",
        "crashes",
        "created_at",
        "error",
        "failed_at",
        "finished_at",
        "id",
        "kept",
        "key",
        "last_error",
        "lease",
        "locale",
        "locked_at",
        "locked_by",
        "max_attempts",
        "name",
        "payload",
        "priority",
        "queue",
        "run_at",
        "state",
        "worker_id",
    )

    id: int | None
    key: str
    name: str
    queue: str
    priority: int
    state: str
    payload: str
    attempts: int
    crashes: int
    max_attempts: int | None
    run_at: datetime | None
    locked_at: datetime | None
    locked_by: str | None
    worker_id: int | None
    lease: int
    failed_at: datetime | None
    finished_at: datetime | None
    last_error: str | None
    created_at: datetime
    locale: str | None
    context: str | None
    #: Whether an attempt is under way here: records keep their session until `let_go`.
    at_work: bool
    #: The exception of this attempt, in the process that ran it; never stored as such.
    error: BaseException | None
    #: What this attempt returned and is to be kept, in the process that ran it.
    kept: Kept | None

    def __init__(self, home: Home, row: JobRow | tuple[Any, ...]) -> None:
        self._home, self.at_work = home, False
        (
            self.id, self.key, self.name, self.queue, self.priority, state, self.payload,
            self.attempts, self.crashes, self.max_attempts, self.run_at, self.locked_at,
            self.locked_by, self.worker_id, self.lease, self.failed_at, self.finished_at,
            self.last_error, self.created_at, self.locale, self.context,
        ) = row  # fmt: skip
        self.state = _STATE_NAMES[state]
        self.error = self.kept = None
        self._payload_object: Payload | None = None
        self._call: Any = None

    @classmethod
    def unsaved(cls, home: Home, new: NewJob, payload: Payload | None, call: Any = None) -> Job:
        """A job that is not stored yet; it performs the very object that was passed (DJ-019).

        Without a payload `home.live` makes it of `call` when somebody asks.
        """
        row = (
            None, new.key, new.name, new.queue, new.priority, State.READY, new.payload, 0, 0,
            new.max_attempts, new.run_at, None, None, None, 0, None, None, None, new.created_at,
            new.locale, new.context,
        )  # fmt: skip
        job = cls(home, row)
        job._payload_object = payload
        job._call = call if payload is None else None
        return job

    @property
    def payload_object(self) -> Payload:
        """The payload brought back, once until `reload`; raises DeserializationError (DJ-003, DJ-027).

        Its records live in a session for as long as the job is being performed. Outside of that they
        are detached: what was loaded with them can be read, nothing more.
        """
        known = self._payload_object
        if known is not None:
            return known
        if self._call is not None and self._home.live is not None:
            known = self._home.live(self._call)
        else:
            known = self._home.decode(self.payload)
            if not self.at_work:
                known.close()
        self._payload_object = known
        return known

    @property
    def hooked(self) -> Any:
        """What carries hooks; None for a function that was just called, whose payload is not asked for."""
        return None if self._call is not None else self.payload_object.object

    def let_go(self) -> None:
        """The attempt is over, and so is the session of its records."""
        if self.at_work:
            self.at_work = False
            if self._payload_object is not None:
                self._payload_object.close()

    def to_store(self) -> NewJob:
        """This unsaved job as the store takes it, with what hooks changed (DJ-097)."""
        return NewJob(
            self.key, self.name, self.queue, self.priority, self.payload, self.run_at,
            self.created_at, self.max_attempts, self.locale, self.context,
        )  # fmt: skip

    def option(self, name: str, *args: Any) -> Any:
        """The answer of the payload's optional method, else of its declaration, else None.

        A payload that cannot be loaded answers nothing (DJ-064).
        """
        try:
            payload = self.payload_object
        except DeserializationError:
            return None
        return option(payload, name, *args)

    def reload(self) -> Job:
        """Read the row again; raises JobNotFound when there is none: it succeeded, was deleted, or the
        transaction that stored it was rolled back or has not committed yet."""
        row = self._home.store.get(self._stored_id())
        # A database may give the id of a row that is gone, or never came, to another job.
        if row is None or row.key != self.key:
            raise JobNotFound(
                f"job {self.id} ({self.name}) is not stored: it succeeded or was deleted, or the "
                "transaction that it was enqueued in was rolled back or has not committed yet"
            )
        self._become(Job(self._home, row))
        return self

    def retry(self, run_at: datetime | timedelta | float | None = None) -> Job:
        """Make it ready now (or at `run_at`) with its attempts at zero; refused while it runs."""
        store, now = self._home.store, clock.utc_now()
        if not store.retry(self._itself(), now):
            self._refused("retried")
        if run_at is not None:
            store.change(self._stored_id(), now, run_at=clock.moment(run_at))
        return self.reload()

    def cancel(self) -> None:
        """It will not run (again); what a running attempt returns is ignored."""
        if not self._home.store.cancel(self._itself(), clock.utc_now()):
            self._refused("cancelled")

    def delete(self) -> None:
        """Remove the row; what a running attempt returns is ignored."""
        if not self._home.store.delete(self._itself()):
            self._refused("deleted")

    def keep(self, value: Any, seconds: float, *, at_once: bool = False) -> None:
        """Inside the job: keep `value` as its result, and its row, for `seconds` after it succeeds.

        `at_once`: report this job before the next one starts. Raises UnsupportedResult for what
        cannot be stored; the job is not tried again then, as it would do its work and fail again.
        """
        try:
            written = self._home.write(value)
        except (TypeError, ValueError, EnqueueError) as error:
            self.max_attempts = 1
            raise UnsupportedResult(f"{self.name} returned what cannot be kept: {error}") from error
        self.kept = Kept(written, seconds, at_once)

    def result(self) -> R:
        """What the job returned, if it succeeded and keeps its result (`@app.job(keep_result=3600)`).

        Raises JobStateError when there is no result (yet), JobNotFound when the job is gone.
        """
        if self.kept is not None:
            kept: R = self._home.read(self.kept.value)
            return kept
        found = self._home.store.result(self._stored_id())
        if found is None:
            state = self.reload().state
            raise JobStateError(f"job {self.id} ({self.name}) is {state} and has no result")
        result: R = self._home.read(found.value)
        return result

    def failures(self) -> list[AttemptRow]:
        """Every attempt that did not succeed, oldest first."""
        return self._home.store.attempts(self._stored_id())

    @property
    def store(self) -> Store:
        """The store that it lives in."""
        return self._home.store

    def _become(self, other: Job) -> None:
        """Take over its row; nothing of this attempt is left."""
        for name in JobRow._fields:
            setattr(self, name, getattr(other, name))
        self.error = self.kept = self._payload_object = self._call = None

    def _stored_id(self) -> int:
        if self.id is None:
            raise JobStateError(
                f"job {self.name} was never stored; it ran inline, or a callback kept it out"
            )
        return self.id

    def _itself(self) -> Filter:
        return Filter(ids=(self._stored_id(),), key=self.key)

    def _refused(self, done: str) -> None:
        self.reload()
        raise JobStateError(f"job {self.id} ({self.name}) is {self.state} and cannot be {done}")

    def __repr__(self) -> str:
        return f"<bide.Job {self.id} {self.name} {self.state} queue={self.queue!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Job):
            return NotImplemented
        return self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


_STATE_NAMES = {state.value: state.name.lower() for state in State}
