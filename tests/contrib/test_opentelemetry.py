"""Traces from enqueue to perform, over processes; metrics; with the real SDK and its exporters."""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import bide
from bide.contrib.opentelemetry import Telemetry, observe_queues
from bide.log_formats import JSONFormatter
from waiting import wait_until
from workers.fleets import fleet


class Watched:
    """An application whose spans and metrics stay in memory."""

    def __init__(self, **options: Any) -> None:
        self.spans, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracers, self.meters = TracerProvider(), MeterProvider([self.reader])
        self.tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        self.app = bide.App("memory://")
        telemetry = Telemetry(tracer_provider=self.tracers, meter_provider=self.meters, **options)
        self.app.plugins.append(telemetry)

    def span(self, name: str, place: int = 0) -> ReadableSpan:
        return [one for one in self.spans.get_finished_spans() if one.name == name][place]

    def metric(self, name: str) -> list[tuple[dict[str, Any], Any]]:
        data = self.reader.get_metrics_data()
        return [
            (dict(point.attributes), point)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in metric.data.data_points
        ]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_an_attempt_belongs_to_the_trace_that_enqueued_it(watched: Watched) -> None:
    app = watched.app

    @app.job(name="charge", queue="bank")
    def charge() -> None: ...

    with watched.tracers.get_tracer("shop").start_as_current_span("request"):
        job = charge.delay()
    app.worker(name="w").work_off()
    request, sent, done = map(watched.span, ("request", "enqueue charge", "perform charge"))
    assert sent.parent is not None
    assert done.parent is not None
    assert (sent.parent.span_id, done.parent.span_id) == (
        request.context.span_id,
        sent.context.span_id,
    )
    assert {one.context.trace_id for one in (request, sent, done)} == {request.context.trace_id}
    assert [link.context.span_id for link in done.links] == [sent.context.span_id]
    assert (sent.kind, done.kind) == (trace.SpanKind.PRODUCER, trace.SpanKind.CONSUMER)
    assert dict(done.attributes or {}) == {
        "messaging.system": "bide", "messaging.operation.type": "process",
        "messaging.destination.name": "bank", "messaging.message.id": job.key,
        "bide.job.id": job.id, "bide.job.name": "charge", "bide.job.priority": 0,
        "bide.job.attempt": 1, "bide.worker": "w",
    }  # fmt: skip


@pytest.mark.parametrize("how", ["sync", "async"])
def test_spans_of_the_job_lie_in_its_attempt(watched: Watched, how: str) -> None:
    app, tracer = watched.app, watched.tracers.get_tracer("shop")

    def sync() -> None:
        with tracer.start_as_current_span("query"):
            pass

    async def asynchronous() -> None:
        sync()

    job = app.job(name="charge")({"sync": sync, "async": asynchronous}[how])
    job.delay()
    app.worker().work_off()
    parent = watched.span("query").parent
    assert parent is not None
    assert parent.span_id == watched.span("perform charge").context.span_id


def test_each_retry_is_a_span_of_the_same_trace(watched: Watched) -> None:
    app = watched.app

    @app.job(name="charge", backoff=lambda attempts: 0)
    def charge() -> None:
        if bide.current_job().attempts == 0:
            raise ConnectionError("no answer")

    charge.delay()
    app.worker().work_off()
    first, second = (watched.span("perform charge", place) for place in (0, 1))
    sent = watched.span("enqueue charge")
    assert {first.context.trace_id, second.context.trace_id} == {sent.context.trace_id}
    assert first.status.status_code is trace.StatusCode.ERROR
    assert first.status.description == "ConnectionError: no answer"
    assert first.events[0].name == "exception"
    assert second.status.status_code is trace.StatusCode.UNSET
    assert second.attributes is not None
    assert second.attributes["bide.job.attempt"] == 2


def test_attempts_may_begin_traces_of_their_own() -> None:
    watched = Watched(new_traces=True)

    @watched.app.job(name="charge")
    def charge() -> None: ...

    charge.delay()
    watched.app.worker().work_off()
    sent, done = watched.span("enqueue charge"), watched.span("perform charge")
    assert done.parent is None
    assert done.context.trace_id != sent.context.trace_id
    assert [link.context.span_id for link in done.links] == [sent.context.span_id]


def test_baggage_travels_along(watched: Watched) -> None:
    carried: list[Any] = []

    @watched.app.job
    def charge() -> None:
        carried.append(baggage.get_baggage("tenant"))

    token = context.attach(baggage.set_baggage("tenant", "acme"))
    charge.delay()
    context.detach(token)
    watched.app.worker().work_off()
    assert carried == ["acme"]
    assert baggage.get_baggage("tenant") is None


def test_a_job_that_cannot_be_loaded_has_a_span_that_says_why(watched: Watched) -> None:
    @watched.app.job(name="charge")
    def charge(amount: int) -> None: ...

    job = charge.delay(1)
    watched.app.store.change(job.id, job.created_at, payload="{")
    watched.app.worker().work_off()
    span = watched.span("perform charge")
    assert span.status.status_code is trace.StatusCode.ERROR
    assert (span.status.description or "").startswith("MalformedPayload")


@pytest.mark.parametrize("sent", [None, '{"trace": 7}', '{"trace": {"traceparent": "x"}}', "[]"])
def test_a_job_without_a_usable_context_is_performed(watched: Watched, sent: str | None) -> None:
    @watched.app.job(name="charge")
    def charge() -> None: ...

    [job] = watched.app.enqueue_many([charge.bind()])
    row = watched.app.store.get(job.id)
    watched.app.store._shelf.put(row._replace(context=sent))  # type: ignore[attr-defined]
    assert watched.app.worker().work_off() == (1, 0)
    assert watched.span("perform charge").links == ()


def test_a_job_run_inline_lies_where_it_was_enqueued(watched: Watched) -> None:
    watched.app.delay_jobs = False

    @watched.app.job(name="charge")
    def charge() -> None: ...

    charge.delay()
    parent = watched.span("perform charge").parent
    assert parent is not None
    assert parent.span_id == watched.span("enqueue charge").context.span_id


def test_the_locale_and_the_trace_share_the_context(watched: Watched) -> None:
    @watched.app.lifecycle.before("enqueue")
    def also(job: bide.Job) -> None:
        job.context = json.dumps({**json.loads(job.context or "{}"), "tenant": "acme"})

    @watched.app.job
    def charge() -> None: ...

    job = charge.delay()
    assert set(json.loads(job.context or "")) == {"trace", "tenant"}


def test_counts_and_times_are_metrics(watched: Watched) -> None:
    app = watched.app

    @app.job(name="charge", queue="bank", max_attempts=1)
    def charge(fail: bool) -> None:
        if fail:
            raise ConnectionError("no answer")

    for fail in (False, True, False):
        charge.delay(fail)
    app.worker().work_off()
    told = {"queue": "bank", "name": "charge"}
    [(attributes, enqueued)] = watched.metric("bide.jobs.enqueued")
    assert (attributes, enqueued.value) == (told, 3)
    runs = {
        attributes["outcome"]: point.count for attributes, point in watched.metric("bide.job.run")
    }
    assert runs == {"succeeded": 2, "failed": 1}
    [(_, waits)] = watched.metric("bide.job.wait")
    assert waits.count == 3


def test_depth_and_age_of_queues_are_observed(watched: Watched) -> None:
    app = watched.app
    observe_queues(app, watched.meters)

    @app.job(queue="bank")
    def charge() -> None: ...

    charge.delay()
    charge.using(run_at=timedelta(hours=1)).delay()
    depths = {
        attributes["state"]: point.value for attributes, point in watched.metric("bide.queue.jobs")
    }
    assert depths == {"ready": 1, "scheduled": 1, "running": 0, "failed": 0}
    [(attributes, age)] = watched.metric("bide.queue.oldest_ready")
    assert attributes == {"queue": "bank"}
    assert age.value >= 0


def test_log_lines_name_the_trace(watched: Watched) -> None:
    lines: list[str] = []

    @watched.app.job(name="charge")
    def charge() -> None:
        lines.append(JSONFormatter().format(logging.makeLogRecord({"msg": "hello"})))

    charge.delay()
    watched.app.worker().work_off()
    span = watched.span("perform charge").context
    line = json.loads(lines[0])
    assert (line["trace_id"], line["span_id"]) == (f"{span.trace_id:032x}", f"{span.span_id:016x}")


class Collector:
    """An OpenTelemetry collector that keeps what it is sent over OTLP/HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.metrics: list[Any] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(self.path, body)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def take(self, path: str, body: bytes) -> None:
        if path.endswith("/traces"):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    self.spans += scope.spans
        else:
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    self.metrics += scope.metrics

    def named(self, name: str) -> list[Any]:
        return [one for one in self.spans if one.name == name]

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


INSTRUMENTED = """
import os
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from bide.contrib.opentelemetry import Telemetry

def instrument(app, place):
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{place}/v1/traces")))
    exporter = OTLPMetricExporter(f"{place}/v1/metrics")
    meters = MeterProvider([PeriodicExportingMetricReader(exporter, 3_600_000)])
    app.plugins.append(Telemetry(tracer_provider=tracers, meter_provider=meters))
    return tracers

if "SHOP_COLLECTOR" in os.environ:
    instrument(app, os.environ["SHOP_COLLECTOR"])
"""


@pytest.mark.story
def test_forked_workers_send_the_attempts_of_another_process_trace(
    sqlite_url: str, tmp_path: Path, collector: Collector
) -> None:
    """What a worker gathered is sent when it is told to stop, though it leaves without atexit."""
    place = f"http://127.0.0.1:{collector.server.server_port}"
    with fleet(tmp_path, sqlite_url) as shop:
        source = tmp_path / "shop.py"
        source.write_text(source.read_text() + INSTRUMENTED)
        shop.environment["SHOP_COLLECTOR"] = place
        exec(compile(INSTRUMENTED, "instrumented", "exec"), vars(shop.shop))
        tracers = shop.shop.instrument(shop.app, place)
        for number in range(4):
            shop.enqueue("work", number)
        tracers.force_flush()
        sent = collector.named("enqueue work")
        assert len(sent) == 4
        shop.start("-n", "2")
        shop.wait_for(4, did=None)
        shop.signal(signal.SIGTERM)
        assert shop.wait() == 0
        wait_until(lambda: len(collector.named("perform work")) == 4, within=20)
        done = collector.named("perform work")
        assert {(one.trace_id, one.parent_span_id) for one in done} == {
            (one.trace_id, one.span_id) for one in sent
        }
        assert {link.span_id for one in done for link in one.links} == {one.span_id for one in sent}
        runs = [one for one in collector.metrics if one.name == "bide.job.run"]
        assert sum(point.count for one in runs for point in one.histogram.data_points) == 4
        tracers.shutdown()
