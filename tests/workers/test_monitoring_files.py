"""The dashboard and the alert rules ask only for what is told."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import bide
from bide import clock
from bide.jobs.statistics import ALL_TIME, Statistic
from bide.workers.metrics import METRICS, Metrics, exposition
from conftest import lacking

MONITORING = Path(__file__).parents[2] / "examples" / "monitoring"
SUFFIXES = {
    "gauge": ("",),
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
}
TOLD = {name + suffix for name, (kind, _) in METRICS.items() for suffix in SUFFIXES[kind]}


def dashboard() -> Any:
    return json.loads((MONITORING / "grafana-dashboard.json").read_text())


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def asked(expression: str) -> set[str]:
    return set(re.findall(r"\bbide_[a-z_]+", expression))


def test_the_dashboard_asks_only_for_metrics_that_are_told() -> None:
    board = dashboard()
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    expressions += [one["definition"] for one in board["templating"]["list"] if "definition" in one]
    names = set().union(*map(asked, expressions))
    assert names - TOLD == set()
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in names}
    assert families == set(METRICS), "every metric is shown"


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    ids = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_rules_ask_only_for_metrics_that_are_told() -> None:
    for rule in rules():
        assert asked(rule["expr"]) - TOLD == set(), rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {"summary", "runbook"} <= rule["annotations"].keys()


@pytest.mark.parametrize("what", ["oldest_ready", "failed", "heartbeat", "workers", "free", "fork"])
def test_what_matters_has_a_rule(what: str) -> None:
    assert any(what in rule["expr"] for rule in rules())


def promtool(*words: str, given: str | None = None) -> None:
    program = shutil.which("promtool")
    if program is None:
        lacking("promtool", "apt-get install prometheus")
    done = subprocess.run(
        [program, *words], cwd=MONITORING, input=given, capture_output=True, text=True, timeout=50
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr


def test_prometheus_itself_finds_the_rules_right() -> None:
    promtool("check", "rules", "alerts.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_prometheus_itself_finds_the_metrics_right() -> None:
    """With odd names in the labels, and with no rule of style broken."""
    app = bide.App("memory://")
    app.store.register("one", "host-a", 1, {})
    odd = 'say "hi" \\ there\nand so on'
    app.store.statistics.write(1, [Statistic(ALL_TIME, "mail", odd, succeeded=1, failed=1)])
    families = Metrics(app.store, app.settings, None).families(clock.utc_now())
    promtool("check", "metrics", given=exposition(families))


def test_no_label_has_a_name_that_prometheus_gives_itself() -> None:
    """It would be called exported_job, and rules that name `job` would mean what is scraped."""
    app = bide.App("memory://")
    app.store.register("one", "host-a", 1, {})
    app.store.statistics.write(1, [Statistic(ALL_TIME, "mail", "send", succeeded=1)])
    families = Metrics(app.store, app.settings, None).families(clock.utc_now())
    labels = {name for family in families for one in family.samples for name in one.labels}
    assert labels & {"job", "instance"} == set()
    assert {"queue", "name", "host", "state", "reason", "le"} >= labels
    for text in ("alerts.yml", "grafana-dashboard.json"):
        told = (MONITORING / text).read_text()
        assert not re.search(r"by \([^)]*\bjob\b|\{\{ ?(\$labels\.)?job", told), text
