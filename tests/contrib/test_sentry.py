"""Errors of jobs in Sentry, with the real client and its envelopes."""

from __future__ import annotations

import gzip
import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

import bide
from bide.contrib.sentry import Sentry
from bide.errors import WorkerStop
from waiting import wait_until
from workers.fleets import fleet


class Kept(Transport):
    """Keeps the events that the client would send."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.transactions: list[dict[str, Any]] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            if item.type == "event":
                self.events.append(item.payload.json)  # type: ignore[arg-type]
            elif item.type == "transaction":
                self.transactions.append(item.payload.json)  # type: ignore[arg-type]


@pytest.fixture
def kept() -> Iterator[Kept]:
    transport = Kept()
    sentry_sdk.init("http://key@127.0.0.1:1/1", transport=transport, traces_sample_rate=1.0)
    yield transport
    sentry_sdk.get_global_scope().set_client(None)


def app_with(**options: Any) -> bide.App:
    app = bide.App("memory://")
    app.plugins.append(Sentry(**options))
    return app


def test_a_failed_attempt_is_an_event_with_its_job(kept: Kept) -> None:
    app = app_with()

    @app.job(name="charge", queue="bank")
    def charge(amount: int) -> None:
        sentry_sdk.set_tag("customer", "ada")
        raise ConnectionError("no answer")

    job = charge.delay(7)
    app.worker(name="w").work_off()
    [event] = kept.events
    assert event["exception"]["values"][0]["type"] == "ConnectionError"
    assert event["exception"]["values"][0]["stacktrace"]["frames"][-1]["function"] == "charge"
    assert event["tags"] == {"bide.job": "charge", "bide.queue": "bank", "customer": "ada"}
    told = event["contexts"]["bide"]
    assert (told["id"], told["attempt"], told["worker"], told["queue"]) == (
        job.id, 1, "w", "bank",
    )  # fmt: skip
    assert "arguments" not in told
    assert event["transaction"] == "charge"


def test_arguments_are_sent_where_that_is_wished(kept: Kept) -> None:
    app = app_with(send_arguments=True)

    @app.job
    def charge(amount: int) -> None:
        raise ConnectionError("no answer")

    charge.delay(7)
    app.worker().work_off()
    assert "7" in kept.events[0]["contexts"]["bide"]["arguments"]


def test_nothing_of_one_job_shows_in_the_next(kept: Kept) -> None:
    app = app_with()

    @app.job(max_attempts=1)
    def charge(customer: str) -> None:
        if customer == "ada":
            sentry_sdk.set_tag("customer", customer)
            sentry_sdk.add_breadcrumb(message="paid by ada")
        raise ConnectionError("no answer")

    charge.delay("ada")
    charge.delay("bob")
    app.worker().work_off()
    assert [event["tags"].get("customer") for event in kept.events] == ["ada", None]
    crumbs = [event.get("breadcrumbs", {}).get("values", []) for event in kept.events]
    assert ["paid by ada" in str(one) for one in crumbs] == [True, False]


def test_only_the_last_attempt_is_told_where_that_is_wished(kept: Kept) -> None:
    app = app_with(report="last")

    @app.job(max_attempts=2, backoff=lambda attempts: 0)
    def charge() -> None:
        raise ConnectionError("no answer")

    charge.delay()
    app.worker().work_off()
    [event] = kept.events
    assert event["contexts"]["bide"]["attempt"] == 2


def test_success_is_no_event_and_a_sampled_transaction(kept: Kept) -> None:
    app = app_with()

    @app.job(name="charge")
    def charge() -> None: ...

    charge.delay()
    app.worker().work_off()
    assert kept.events == []
    assert [one["transaction"] for one in kept.transactions] == ["charge"]


def test_a_job_that_cannot_be_loaded_is_told(kept: Kept) -> None:
    app = app_with()

    @app.job(name="charge")
    def charge() -> None: ...

    job = charge.delay()
    app.store.change(job.id or 0, job.created_at, payload="{")
    app.worker().work_off()
    [event] = kept.events
    assert event["exception"]["values"][-1]["type"] == "MalformedPayload"
    assert event["contexts"]["bide"]["id"] == job.id


def test_a_timeout_is_told(kept: Kept) -> None:
    app = app_with()

    @app.job(max_run_time=0.05)
    def hangs() -> None:
        while True:
            bide.clock.sleep(0.01)

    hangs.delay()
    app.worker().work_off()
    assert [one["exception"]["values"][-1]["type"] for one in kept.events] == ["WorkerTimeout"]


def test_scopes_are_kept_only_until_the_error_is_told(kept: Kept) -> None:
    """What nobody reports, since it ran inline or goes on elsewhere, would be kept for ever."""
    app = bide.App("memory://")
    plugin = Sentry()
    app.plugins.append(plugin)

    @app.job
    def stops(error: str) -> None:
        raise WorkerStop if error == "stop" else ConnectionError("no answer")

    for error in ("down", "stop"):
        stops.delay(error)
        app.worker().work_off()
    app.delay_jobs = False
    with pytest.raises(ConnectionError):
        stops.delay("down")
    assert len(kept.events) == 1
    assert plugin._scopes == {}


def test_without_a_client_nothing_happens() -> None:
    app = app_with()

    @app.job(max_attempts=1)
    def charge() -> None:
        raise ConnectionError("no answer")

    charge.delay()
    assert app.worker().work_off() == (0, 1)


SENTRY = """
import sentry_sdk
from bide.contrib.sentry import Sentry
if "SHOP_SENTRY" in os.environ:
    sentry_sdk.init(os.environ["SHOP_SENTRY"])
    app.plugins.append(Sentry())

@app.job(max_attempts=1)
def breaks(): raise ConnectionError("no answer")
"""


@pytest.mark.story
def test_a_forked_worker_sends_its_errors_before_it_ends(sqlite_url: str, tmp_path: Path) -> None:
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with fleet(tmp_path, sqlite_url) as shop:
            source = tmp_path / "shop.py"
            source.write_text(source.read_text() + SENTRY)
            exec(compile(SENTRY, "sentry", "exec"), vars(shop.shop))
            shop.environment["SHOP_SENTRY"] = f"http://key@127.0.0.1:{server.server_port}/1"
            shop.enqueue("breaks")
            shop.start("-n", "2")
            wait_until(lambda: "FAILED permanently" in shop.log.read_text(), within=30)
            shop.signal(signal.SIGTERM)
            assert shop.wait() == 0
            wait_until(lambda: any("ConnectionError" in text_of(one) for one in bodies), within=20)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def text_of(body: bytes) -> str:
    told = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    return json.dumps(told.decode(errors="replace"))
