"""Prepare jobs and store them, or run them at once; inside the caller's transaction if given one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache, partial
from itertools import groupby, islice
from typing import Any, NamedTuple, Protocol

from bide import clock
from bide.db.awaiting import await_here, greenlet
from bide.db.borrowed import refuse_async
from bide.errors import EnqueueError
from bide.events import emit, heard
from bide.jobs.brought_back import Payload
from bide.jobs.handle import Home, Job, option
from bide.jobs.hooks import ask, call_hook
from bide.jobs.job import NewJob
from bide.jobs.keys import KEY_LENGTH, new_key, new_keys
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.names import MAX_LENGTH, problem_with
from bide.jobs.perform import Performer
from bide.jobs.registry import Declared
from bide.jobs.sending import Insertion, Sent, send

#: Rows of one INSERT of enqueue_many.
BATCH = 1000

When = datetime | timedelta | float | str | None


class Options(NamedTuple):
    """What a caller may choose for one job; None means the declaration's, the queue's or the App's."""

    queue: str | None = None
    priority: int | None = None
    run_at: When = None
    max_attempts: int | None = None
    session: Any = None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Options:
        """Options from keywords; an unknown or wrong one raises EnqueueError (DJ-539)."""
        unknown = [name for name in given if name not in cls._fields]
        if unknown:
            raise EnqueueError(
                f"unknown option {unknown[0]!r}; the options are {', '.join(cls._fields)}"
            )
        options = cls(**given)
        options.check()
        return options

    def changed(self, given: Mapping[str, Any]) -> Options:
        """These with some of them chosen anew; raises EnqueueError as `of`."""
        return Options.of({**self._asdict(), **given})

    def check(self) -> None:
        """Raise EnqueueError naming the first value of the wrong type."""
        _check_queue(self.queue)
        _check_number("priority", self.priority)
        _check_number("max_attempts", self.max_attempts)


class Defaults(Protocol):
    """The settings that enqueueing needs."""

    @property
    def default_queue(self) -> str: ...
    @property
    def default_priority(self) -> int: ...
    @property
    def queue_priorities(self) -> Mapping[str, int]: ...


#: Options that leave everything to the declaration and the settings.
ANY = Options()


class Call(NamedTuple):
    """A call that is to become a job: what `bind` returns."""

    target: Any
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] | None = None
    options: Options = ANY


def as_call(target: Any, options: Mapping[str, Any]) -> Call:
    """What is to be enqueued: a bound call as it is, anything else as a job object with options."""
    if isinstance(target, Call):
        if options:
            raise EnqueueError(
                f"a bound call takes no options here, got {', '.join(options)}; "
                "choose them with job.using(...).bind(...)"
            )
        return target
    return Call(target, (), {}, Options.of(options))


class Prepared(NamedTuple):
    """A call as it is stored: its name, the text of its payload, and the payload as it would come back;
    for a function its declaration, and the payload only when somebody asks for it."""

    name: str
    text: str
    payload: Payload | None
    function: Declared | None

    def option(self, name: str) -> Any:
        """As bide.jobs.handle.option."""
        if self.payload is not None:
            return option(self.payload, name)
        return getattr(self.function.options, name, None) if self.function is not None else None


DelayJobs = bool | Callable[..., Any] | None


class Ways(NamedTuple):
    """How the caller waits, blocking or not: refuses a session, has jobs stored, runs one inline."""

    admit: Callable[[Any], None]
    insert: Callable[[Sequence[NewJob], Any], Insertion]
    invoke: Callable[[Job, Payload], Any]


class Batch(NamedTuple):
    """Jobs under way to the store."""

    jobs: Sequence[Job]
    insertion: Insertion


class Enqueuer:
    """Turns calls into stored jobs. `delay_jobs` is True, False or a callable asked for each job."""

    def __init__(
        self,
        home: Home,
        lifecycle: Lifecycle,
        defaults: Defaults,
        performer: Performer,
        encode: Callable[[Call], Prepared],
    ) -> None:
        self._home = home
        self._lifecycle = lifecycle
        self._defaults = defaults
        self._performer = performer
        self._encode = encode
        self.delay_jobs: DelayJobs = True

    def enqueue(self, call: Call) -> Job:
        """Store the job (or run it, inline) inside the enqueue event; returns the Job in both cases."""
        return self._enqueue(call, self._blocking())

    async def aenqueue(self, call: Call) -> Job:
        """The same without blocking the event loop; callbacks and hooks keep their order."""
        return await greenlet(self._enqueue, call, self._awaiting())

    def enqueue_many(self, calls: Iterable[Call], session: Any = None) -> list[Job]:
        """Store many with one statement per batch; either all of a batch or none.

        The enqueue event and hook run for each job before its batch is stored (DJ-273 is one event
        for the list; ours stays one event per job, so that a callback sees every job). A call's own
        session comes before `session`; a batch is of one session.
        """
        return self._enqueue_many(calls, session, self._blocking())

    async def aenqueue_many(self, calls: Iterable[Call], session: Any = None) -> list[Job]:
        """The same without blocking the event loop."""
        return await greenlet(self._enqueue_many, calls, session, self._awaiting())

    def _blocking(self) -> Ways:
        def insert(jobs: Sequence[NewJob], on: Any) -> Insertion:
            sent = send(self._home.store, jobs) if on is None and len(jobs) > 1 else None
            return sent or Sent(self._home.store.insert(jobs, on))

        return Ways(refuse_async, insert, self._performer.invoke)

    def _awaiting(self) -> Ways:
        def insert(jobs: Sequence[NewJob], on: Any) -> Insertion:
            return Sent(await_here(self._home.store.ainsert(jobs, on)))

        invoke = self._performer.running_async(await_here).invoke
        return Ways(lambda on: None, insert, invoke)

    def _enqueue(self, call: Call, ways: Ways) -> Job:
        ways.admit(call.options.session)
        job = self._prepare(call, new_key(), clock.utc_now())

        def body(job: Job) -> None:
            self._hook(job)
            self._stored(self._store_or_run([job], call.options.session, ways))

        self._lifecycle.run("enqueue", body, job)
        return job

    def _enqueue_many(self, calls: Iterable[Call], session: Any, ways: Ways) -> list[Job]:
        jobs: list[Job] = []
        under_way = None
        try:
            for on, batch in _batches(calls, session, BATCH):
                ways.admit(on)
                now, keys = clock.utc_now(), new_keys(len(batch))
                prepared = [
                    self._prepare(call, key, now) for call, key in zip(batch, keys, strict=True)
                ]
                # Nobody hears of a batch before those in front of it are stored.
                landing, under_way = under_way, None
                self._stored(landing)
                under_way = self._store_or_run(self._announced(prepared), on, ways)
                jobs += prepared
        finally:
            self._stored(under_way)
        return jobs

    def _announced(self, jobs: list[Job]) -> list[Job]:
        """The jobs that the enqueue event let through."""
        if "enqueue" not in self._lifecycle.used:
            for job in jobs:
                self._hook(job)
            return jobs
        passed: list[Job] = []

        def body(job: Job) -> None:
            self._hook(job)
            passed.append(job)

        for job in jobs:
            self._lifecycle.run("enqueue", body, job)
        return passed

    def _prepare(self, call: Call, key: str, now: datetime) -> Job:
        prepared, options = self._encode(call), call.options
        queue = self._queue(options, prepared)
        priority = self._priority(options, prepared, queue)
        run_at = _moment(options.run_at)
        name, text, payload, _ = prepared
        new = NewJob(key, name, queue, priority, text, run_at, now, options.max_attempts)
        # The session is the caller's business: nothing of ours keeps it.
        kept = call if options.session is None else call._replace(options=ANY)
        return Job.unsaved(self._home, new, payload, kept)

    def _queue(self, options: Options, prepared: Prepared) -> str:
        """The option, else the payload's queue_name, else the default (queue.md 2.2, DJ-538)."""
        if options.queue is not None:
            return options.queue
        named = prepared.option("queue_name")
        return str(named) if named is not None else self._defaults.default_queue

    def _priority(self, options: Options, prepared: Prepared, queue: str) -> int:
        """The option, else the declaration's, else the queue's, else the default; 0 is a value (DJ-536)."""
        if options.priority is not None:
            return options.priority
        declared = prepared.function
        if prepared.payload is not None:
            declared = prepared.payload.declared
        own = getattr(declared.options, "default_priority", None) if declared is not None else None
        if own is not None:
            return int(own)
        return self._defaults.queue_priorities.get(queue, self._defaults.default_priority)

    def _hook(self, job: Job) -> None:
        target = job.hooked
        if target is not None:
            call_hook(target, "enqueue", job)
        _check(job)

    def _runs_inline(self, job: Job) -> bool:
        """delay_jobs may be a callable that takes the job or nothing (queue.md 2.3)."""
        if callable(self.delay_jobs):
            return not ask(self, "delay_jobs", job)
        return not self.delay_jobs

    def _store_or_run(self, jobs: list[Job], session: Any, ways: Ways) -> Batch | None:
        stored = jobs
        if self.delay_jobs is not True:
            stored = self._not_run_inline(jobs, ways)
        if not stored:
            return None
        return Batch(stored, ways.insert([job.to_store() for job in stored], session))

    def _not_run_inline(self, jobs: list[Job], ways: Ways) -> list[Job]:
        stored = []
        for job in jobs:
            if self._runs_inline(job):
                ways.invoke(job, job.payload_object)
            else:
                stored.append(job)
        return stored

    def _stored(self, batch: Batch | None) -> None:
        """Wait until they are, and tell each what became of it."""
        if batch is None:
            return
        told = heard("enqueued")
        for job, job_id in zip(batch.jobs, batch.insertion.ids(), strict=True):
            job.id = job_id
            if job.run_at is None:
                job.run_at = job.created_at
            job.state = "ready" if job.run_at <= job.created_at else "scheduled"
            if told:
                emit("enqueued", job=job)


def _check(job: Job) -> None:
    """What queue_name, hooks and callbacks chose is held to what callers may choose."""
    queue: Any = job.queue
    priority: Any = job.priority
    if queue is None or priority is None:
        raise EnqueueError(f"{job!r} needs a queue and a priority, e.g. queue='mail', priority=0")
    told: tuple[Any, ...] = (job.name, queue, priority, job.max_attempts, job.locale)
    try:
        _check_told(*told)
    except TypeError:  # what cannot be remembered is looked at and refused
        _check_told.__wrapped__(*told)
    # A server that refuses a text may end the caller's transaction; so none is sent that it would.
    _check_text("key", job.key, KEY_LENGTH)
    if not job.key.isascii():
        raise EnqueueError(f"key={job.key!a} must be ASCII")
    if job.run_at is not None:
        job.run_at = _moment(job.run_at)


@lru_cache(maxsize=256, typed=True)
def _check_told(name: Any, queue: Any, priority: Any, max_attempts: Any, locale: Any) -> None:
    """What most jobs have in common; what was found right is remembered."""
    _check_queue(queue)
    _check_number("priority", priority)
    _check_number("max_attempts", max_attempts)
    _check_text("name", name, MAX_LENGTH)
    _check_text("locale", locale, MAX_LENGTH)


def _check_queue(queue: Any) -> None:
    if queue is not None and not isinstance(queue, str):
        raise EnqueueError(f"queue={queue!r} must be a name, e.g. queue='mail'")
    _check_text("queue", queue, MAX_LENGTH)


def _check_number(name: str, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise EnqueueError(f"{name}={value!r} must be a whole number, e.g. {name}=10")
    if not -(2**31) <= value < 2**31:
        raise EnqueueError(f"{name}={value} must fit 32 bits, e.g. {name}=10")


def _check_text(name: str, text: str | None, longest: int) -> None:
    problem = problem_with(text, longest) if text is not None else None
    if text is not None and problem:
        raise EnqueueError(f"{name}={text[:40]!a} {problem}")


def _moment(value: When) -> datetime | None:
    try:
        return None if value is None else clock.moment(value)
    except (ValueError, TypeError, OverflowError) as error:
        raise EnqueueError(f"run_at={value!r}: {error}") from None


def _session_of(session: Any, call: Call) -> Any:
    own = call.options.session
    return session if own is None else own


def _batches(calls: Iterable[Call], session: Any, size: int) -> Iterator[tuple[Any, list[Call]]]:
    """Calls that follow each other and go to the same session, at most `size` at a time."""
    for on, group in groupby(calls, partial(_session_of, session)):
        while batch := list(islice(group, size)):
            yield on, batch
