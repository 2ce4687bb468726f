"""Traces and metrics of OpenTelemetry: from the code that enqueues to the attempt that performs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from bide import clock
from bide.errors import DeserializationError, MissingDependency, WorkerStop
from bide.jobs.handle import Job
from bide.jobs.job import State
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.plugin import Plugin
from bide.log_formats import add_fields

try:
    from opentelemetry import context, metrics, propagate, trace
    from opentelemetry.trace import Link, SpanKind, Status, StatusCode
except ModuleNotFoundError as missing:
    raise MissingDependency("bide.contrib.opentelemetry", "opentelemetry") from missing

if TYPE_CHECKING:
    from bide.app import App

#: Where the context travels in the job's row.
KEY: Final = "trace"
_SCOPE: Final = "bide"


class Telemetry(Plugin):
    """`app.plugins.append(Telemetry())`: a span where a job is enqueued and one for each attempt.

    The context (trace and baggage, as the global propagator writes it) travels with the job through all
    retries, so attempts belong to the trace that enqueued, and are linked to its span. With `new_traces`
    each attempt begins a trace of its own that is only linked: for jobs that run hours later.
    Providers are the global ones unless given. What a worker has gathered is flushed when it ends.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
        new_traces: bool = False,
    ) -> None:
        self._providers = (tracer_provider, meter_provider)
        self._new_traces = new_traces
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._enqueued = meter.create_counter("bide.jobs.enqueued", "{job}", "Jobs enqueued here.")
        self._run = meter.create_histogram("bide.job.run", "s", "Seconds that attempts ran.")
        self._wait = meter.create_histogram(
            "bide.job.wait", "s", "Seconds from a job's due time to its start."
        )
        add_fields(trace_fields)

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """Spans around enqueue and around hooks and perform; a flush at the worker's end."""
        lifecycle.around("enqueue", self._enqueue)
        lifecycle.around("invoke_job", self._invoke)
        lifecycle.before("error", self._unloadable)
        lifecycle.always("execute", self._flush)

    def _enqueue(self, job: Job, proceed: Callable[[Job], Any]) -> Any:
        name = f"enqueue {job.name}"
        with self._tracer.start_as_current_span(name, kind=SpanKind.PRODUCER) as span:
            carrier: dict[str, str] = {}
            propagate.inject(carrier)
            if carrier:
                known = json.loads(job.context) if job.context else {}
                job.context = json.dumps({**known, KEY: carrier})
            result = proceed(job)
            span.set_attributes(_attributes(job, "publish"))
        self._enqueued.add(1, _dimensions(job))
        return result

    def _invoke(self, job: Job, proceed: Callable[[Job], Any]) -> Any:
        began, outcome = clock.monotonic(), "failed"
        due = job.run_at
        if due is not None and job.id is not None:
            waited = max((clock.utc_now() - due).total_seconds(), 0.0)
            self._wait.record(waited, _dimensions(job))
        try:
            with self._attempt(job):
                result = proceed(job)
            outcome = "succeeded"
            return result
        except WorkerStop:
            outcome = "given_back"
            raise
        finally:
            seconds = clock.monotonic() - began
            self._run.record(seconds, {**_dimensions(job), "outcome": outcome})

    def _unloadable(self, _worker: Any, job: Job) -> None:
        """A job that cannot be loaded is never invoked; its span says why."""
        if isinstance(job.error, DeserializationError):
            with self._attempt(job) as span:
                _failed(span, job.error)

    @contextmanager
    def _attempt(self, job: Job) -> Iterator[trace.Span]:
        """A span for one attempt; what it raises is recorded, whatever kind of exception it is."""
        sent = propagate.extract(_carrier(job), context=context.Context())
        origin = trace.get_current_span(sent).get_span_context()
        if not origin.is_valid:  # enqueued without this plugin, or running where it was enqueued
            sent = context.get_current()
        elif self._new_traces:
            sent = trace.set_span_in_context(trace.INVALID_SPAN, sent)
        token = context.attach(sent)
        try:
            with self._tracer.start_as_current_span(
                f"perform {job.name}",
                kind=SpanKind.CONSUMER,
                attributes=_attributes(job, "process"),
                links=[Link(origin)] if origin.is_valid else [],
                record_exception=False,
                set_status_on_exception=False,
            ) as span:
                try:
                    yield span
                except WorkerStop:
                    span.set_attribute("bide.given_back", True)
                    raise
                except BaseException as error:
                    _failed(span, error)
                    raise
        finally:
            context.detach(token)

    def _flush(self, _worker: Any) -> None:
        """A worker's process ends without the providers' own functions at exit."""
        own_tracer, own_meter = self._providers
        for provider in (
            own_tracer or trace.get_tracer_provider(),
            own_meter or metrics.get_meter_provider(),
        ):
            flush = getattr(provider, "force_flush", None)
            if flush is not None:
                flush()


def observe_queues(app: App, meter_provider: metrics.MeterProvider | None = None) -> None:
    """Tell depth and age of each queue as gauges: `bide.queue.jobs`, `bide.queue.oldest_ready`.

    The database is asked at every collection. Call it in one process of one service only.
    """
    meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)

    def jobs(_: Any) -> Iterable[metrics.Observation]:
        for row in app.store.surveys.queues():
            for state in (State.READY, State.RUNNING, State.SCHEDULED, State.FAILED):
                told = {"queue": row.name, "state": state.name.lower()}
                yield metrics.Observation(row.counts.get(state, 0), told)

    def oldest(_: Any) -> Iterable[metrics.Observation]:
        now = clock.utc_now()
        for row in app.store.surveys.queues():
            age = 0.0 if row.oldest_ready is None else (now - row.oldest_ready).total_seconds()
            yield metrics.Observation(max(age, 0.0), {"queue": row.name})

    meter.create_observable_gauge("bide.queue.jobs", [jobs], "{job}", "Jobs by queue and state.")
    meter.create_observable_gauge(
        "bide.queue.oldest_ready", [oldest], "s", "Seconds since the oldest ready job became due."
    )


def trace_fields() -> dict[str, Any]:
    """The current trace and span, for structured log lines."""
    span = trace.get_current_span().get_span_context()
    if not span.is_valid:
        return {}
    return {"trace_id": f"{span.trace_id:032x}", "span_id": f"{span.span_id:016x}"}


def _carrier(job: Job) -> dict[str, str]:
    """What was sent along; nothing from a context that somebody else has written."""
    try:
        sent = json.loads(job.context).get(KEY) if job.context else None
    except (ValueError, AttributeError):
        return {}
    return {str(k): str(v) for k, v in sent.items()} if isinstance(sent, dict) else {}


def _failed(span: trace.Span, error: BaseException) -> None:
    try:
        words = f"{type(error).__name__}: {error}"
        span.record_exception(error)
    except Exception:  # noqa: BLE001 - an error whose __str__ raises is the application's code
        words = type(error).__name__
    span.set_status(Status(StatusCode.ERROR, words))


def _dimensions(job: Job) -> dict[str, str]:
    return {"queue": job.queue, "name": job.name}


def _attributes(job: Job, operation: str) -> dict[str, Any]:
    told = {
        "messaging.system": "bide",
        "messaging.operation.type": operation,
        "messaging.destination.name": job.queue,
        "messaging.message.id": job.key,
        "bide.job.id": job.id,
        "bide.job.name": job.name,
        "bide.job.priority": job.priority,
        "bide.job.attempt": job.attempts + 1 if operation == "process" else None,
        "bide.worker": job.locked_by,
    }
    return {name: value for name, value in told.items() if value is not None}
