"""What monitoring is told: true of all processes together, in a format that Prometheus reads."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import bide
from bide import clock
from bide.jobs.statistics import MINUTE, Statistic, start_of
from bide.workers.metrics import METRICS, Metrics, exposition
from waiting import wait_until
from workers.fleets import fleet

Values = dict[tuple[str, frozenset[tuple[str, str]]], float]


def told(app: bide.App, later: float = 0.0) -> str:
    now = clock.utc_now() + timedelta(seconds=later)
    return exposition(Metrics(app.store, app.settings, app.database).families(now))


def parsed(text: str) -> Values:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(values: Values, metric: str, **labels: str) -> float:
    return values[metric, frozenset(labels.items())]


def counters(app: bide.App) -> Values:
    ends = ("_total", "_count", "_sum", "_bucket")
    return {key: value for key, value in parsed(told(app)).items() if key[0].endswith(ends)}


@pytest.fixture
def app(database_url: str) -> Any:
    app = bide.App(database_url, heartbeat_interval=0.5)
    app.migrate()
    yield app
    app.close()


@pytest.fixture
def charge(app: bide.App) -> Any:
    @app.job(name="charge", queue="bank", max_attempts=1)
    def charge(how: str) -> None:
        if how == "fail":
            raise ConnectionError("no answer from the bank")

    return charge


def test_counts_depths_and_times_are_told(app: bide.App, charge: Any) -> None:
    for how in ("work", "fail", "work"):
        charge.delay(how)
    app.worker().work_off()
    charge.using(run_at=timedelta(hours=1)).delay("work")
    charge.using(run_at=clock.utc_now() - timedelta(seconds=60)).delay("work")
    app.store.pause("mail", clock.utc_now())
    values = parsed(told(app))
    job = {"queue": "bank", "name": "charge"}
    assert value(values, "bide_up") == 1
    assert value(values, "bide_jobs_succeeded_total", **job) == 2
    assert value(values, "bide_jobs_failed_total", **job) == 1
    assert value(values, "bide_attempts_failed_total", **job, reason="error") == 1
    assert value(values, "bide_attempts_failed_total", **job, reason="crash") == 0
    assert value(values, "bide_job_run_seconds_count", **job) == 3
    assert value(values, "bide_job_run_seconds_bucket", **job, le="+Inf") == 3
    assert value(values, "bide_job_run_seconds_sum", **job) > 0
    assert value(values, "bide_job_wait_seconds_count", **job) == 3
    depths = {
        state: value(values, "bide_queue_jobs", queue="bank", state=state)
        for state in ("ready", "scheduled", "running", "failed")
    }
    assert depths["ready"] + depths["scheduled"] == 2
    assert (depths["running"], depths["failed"]) == (0, 1)
    assert value(values, "bide_queue_paused", queue="mail") == 1
    assert value(values, "bide_queue_paused", queue="bank") == 0


def test_buckets_grow_as_prometheus_wants_them(app: bide.App, charge: Any) -> None:
    charge.delay("work")
    app.worker().work_off()
    [family] = [
        one
        for one in text_string_to_metric_families(told(app))
        if one.name == "bide_job_run_seconds"
    ]
    buckets = [one for one in family.samples if one.name.endswith("_bucket")]
    assert [float(one.labels["le"]) for one in buckets] == sorted(
        float(one.labels["le"]) for one in buckets
    )
    assert [one.value for one in buckets] == sorted(one.value for one in buckets)


def test_counters_never_shrink_when_statistics_are_pruned(app: bide.App, charge: Any) -> None:
    charge.delay("work")
    app.worker().work_off()
    before = counters(app)
    later = clock.utc_now() + timedelta(days=30)
    while app.store.statistics.prune(later, keep=timedelta(days=14)):
        pass
    assert counters(app) == before


def test_what_has_settled_is_read_once_and_counts_on(
    app: bide.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counters of one exporter grow while rows are added, settle and are pruned."""
    now = start_of(clock.utc_now(), MINUTE)
    metrics = Metrics(app.store, app.settings, app.database)
    asked: list[Any] = []
    read = app.store.statistics.read

    def noted(since: Any = None, until: Any = None, **options: Any) -> Any:
        asked.append(since)
        return read(since, until, **options)

    monkeypatch.setattr(app.store.statistics, "read", noted)

    def succeeded(hours: float) -> float:
        later = now + timedelta(hours=hours)
        while app.store.statistics.prune(later, keep=timedelta(days=1)):
            pass
        told = parsed(exposition(metrics.families(later)))
        return value(told, "bide_jobs_succeeded_total", queue="bank", name="charge")

    def add(hours: float) -> None:
        at = start_of(now + timedelta(hours=hours), MINUTE)
        app.store.statistics.write(7, [Statistic(at, "bank", "charge", succeeded=1)])

    add(-30)
    counted = []
    for hours in (0, 0.5, 1, 2.6, 3, 10, 26, 27, 60):
        add(hours)
        counted.append(succeeded(hours))
    assert counted == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert asked.count(None) == 2, "at first, and after a day in which nobody asked"


def test_workers_are_told_by_host_and_state(app: bide.App) -> None:
    app.store.register("one", "host-a", 1, {"running": [{"id": 1}], "fork_findings": 2})
    app.store.register("two", "host-a", 2, {"running": []})
    app.store.register("three", "host-b", 3, {})
    values = parsed(told(app))
    states = {
        (host, state): value(values, "bide_workers", host=host, state=state)
        for host in ("host-a", "host-b")
        for state in ("working", "idle", "silent")
    }
    assert states == {
        ("host-a", "working"): 1, ("host-a", "idle"): 1, ("host-a", "silent"): 0,
        ("host-b", "working"): 0, ("host-b", "idle"): 1, ("host-b", "silent"): 0,
    }  # fmt: skip
    assert value(values, "bide_fork_findings", host="host-a") == 2
    values = parsed(told(app, later=100))
    assert value(values, "bide_workers", host="host-a", state="silent") == 2
    age = value(values, "bide_worker_heartbeat_age_seconds", host="host-b")
    assert age == pytest.approx(100, abs=30)


def test_the_oldest_ready_job_is_told(app: bide.App, charge: Any) -> None:
    charge.delay("work")
    values = parsed(told(app, later=100))
    age = value(values, "bide_queue_oldest_ready_seconds", queue="bank")
    assert age == pytest.approx(100, abs=30)


def test_names_may_hold_anything(app: bide.App) -> None:
    name = 'a "job"\nwith \\ and ☂ {x="y"} 1'

    @app.job(name=name, queue='q"\\n')
    def work() -> None: ...

    work.delay()
    app.worker().work_off()
    values = parsed(told(app))
    assert value(values, "bide_jobs_succeeded_total", queue='q"\\n', name=name) == 1


def test_every_metric_is_in_the_table(app: bide.App, charge: Any) -> None:
    charge.delay("work")
    app.worker().work_off()
    app.store.register("one", "host-a", 1, {})
    families = Metrics(app.store, app.settings, app.database).families(clock.utc_now())
    assert {one.name for one in families} | {"bide_database_free_bytes"} == set(METRICS)


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    app = bide.App(f"sqlite:///{tmp_path / 'bide.db'}")
    assert parsed(told(app)) == {("bide_up", frozenset()): 0}
    app.close()
    app = bide.App("postgresql://nobody@127.0.0.1:1/none")
    assert parsed(told(app)) == {("bide_up", frozenset()): 0}
    app.close()


def test_the_space_that_a_sqlite_file_has_left_is_told(sqlite_url: str) -> None:
    app = bide.App(sqlite_url)
    app.migrate()
    free = [v for (name, _), v in parsed(told(app)).items() if name == "bide_database_free_bytes"]
    assert len(free) == 1
    assert free[0] > 0
    app.close()


@pytest.mark.story
def test_counts_of_workers_that_were_killed_are_still_told(
    postgresql_url: str, tmp_path: Path
) -> None:
    """From the database, not from processes that vanish."""
    with fleet(tmp_path, postgresql_url, heartbeat_interval=0.3) as shop:
        shop.start("-n", "2")
        for number in range(10):
            shop.enqueue("work", number)

        def succeeded() -> float:
            values = parsed(told(shop.app))
            return values.get(
                (
                    "bide_jobs_succeeded_total",
                    frozenset({"queue": "default", "name": "work"}.items()),
                ),
                0,
            )

        wait_until(lambda: succeeded() == 10, within=30)
        for pid in shop.children():
            os.kill(pid, signal.SIGKILL)
        for number in range(10):
            shop.enqueue("work", number)
        wait_until(lambda: succeeded() == 20, within=30)


@pytest.mark.story
def test_what_the_fork_guard_took_from_workers_is_told(sqlite_url: str, tmp_path: Path) -> None:
    with fleet(tmp_path, sqlite_url, heartbeat_interval=0.3) as shop:
        source = tmp_path / "shop.py"
        opened = "import socket\nserver = socket.create_server(('127.0.0.1', 0))\n"
        opened += "held = socket.create_connection(server.getsockname())\n"
        source.write_text(source.read_text() + opened)
        shop.start("-n", "2")

        def findings() -> float:
            values = parsed(told(shop.app))
            return max(
                (v for (name, _), v in values.items() if name == "bide_fork_findings"), default=0
            )

        wait_until(lambda: findings() > 0, within=30)
