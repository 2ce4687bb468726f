"""Bide's metrics beside an application's own, in its registry of prometheus_client."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families

import bide
from bide.contrib.prometheus import BideCollector


def test_an_application_scrapes_both(database_url: str) -> None:
    app = bide.App(database_url)
    app.migrate()

    @app.job(name="send", queue="mail")
    def send() -> None: ...

    send.delay()
    app.worker().work_off()
    registry = CollectorRegistry()
    Counter("orders", "Orders", registry=registry).inc()
    registry.register(BideCollector(app))
    scraped = generate_latest(registry).decode()
    found: dict[str, Any] = {one.name: one for one in text_string_to_metric_families(scraped)}
    assert found["orders"].samples[0].value == 1
    [sample] = found["bide_jobs_succeeded"].samples
    assert (sample.labels, sample.value) == ({"queue": "mail", "name": "send"}, 1)
    assert found["bide_job_run_seconds"].type == "histogram"
    app.close()


def test_registering_asks_no_database() -> None:
    app = bide.App("postgresql://nobody@127.0.0.1:1/none")
    registry = CollectorRegistry()
    registry.register(BideCollector(app))
    assert "bide_up 0.0" in generate_latest(registry).decode()
    app.close()
