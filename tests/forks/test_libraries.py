"""Every known library over a fork, on real servers: with the fence, and the damage without it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forks.clients import ERROR, RIGHT, WAYS
from forks.conftest import needs

EXPERIMENT = Path(__file__).with_name("experiment.py")
ALL = {"seal": True, "forget": True, "owned": True}
pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


def run(name: str, url: str, *, trace: bool = True, **order: Any) -> dict[str, Any]:
    order = {"way": name, "url": url, "children": 4, "questions": 300, "seconds": 20} | order
    done = subprocess.run(
        [sys.executable, str(EXPERIMENT), json.dumps(order)],
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env={"BIDE_TRACE_CONNECTIONS": "1" if trace else "", "PATH": "/usr/bin:/bin"},
    )
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return dict(json.loads(line.removeprefix("RESULT ")))
    raise AssertionError(f"{name}: {done.returncode}\n{done.stdout}\n{done.stderr}")


@pytest.mark.parametrize("name", WAYS)
def test_with_the_fence_the_parent_is_whole_and_no_answer_is_another_s(
    name: str, url_of: Callable[[str], str]
) -> None:
    """DJ-095, DJ-096: parent 300 of 300; children are right, or fail and say who opened it."""
    way = WAYS[name]
    needs(way.module)
    result = run(name, url_of(way.server), scenario="share", layers=ALL)
    parent, children = result["parent"], result["children"]
    assert (parent["right"], parent["wrong"], parent["errors"]) == (300, 0, 0), result
    assert sum(child["wrong"] for child in children) == 0, result
    assert not any(child["hung"] for child in children), result
    if way.children == RIGHT:
        assert [child["right"] for child in children] == [300] * 4, result
    if way.children == ERROR:
        assert all(child["right"] == 0 and child["errors"] for child in children), result
        for child in children:
            if "this event loop was made by process" in child["first_error"]:
                continue
            assert "was opened by process" in child["first_error"], result
            assert "clients.py:" in child["first_error"], result


@pytest.mark.parametrize("name", [name for name, way in WAYS.items() if way.damage])
def test_without_the_fence_the_same_connection_breaks(
    name: str, url_of: Callable[[str], str]
) -> None:
    """The experiment can fail: without the fence somebody is wrong, fails or hangs."""
    way = WAYS[name]
    needs(way.module)
    result = run(name, url_of(way.server), scenario="share", layers=None, seconds=3)
    everyone = [result["parent"], *result["children"]]
    trouble = sum(each["wrong"] + each["errors"] + each["hung"] for each in everyone)
    assert trouble > 0, result


def test_without_the_fence_wrong_answers_come_in_silence(url_of: Callable[[str], str]) -> None:
    """Which library is hit how often is luck; over four of them it is certain."""
    silent = 0
    for name in ("psycopg2", "PyMySQL", "Django, PostgreSQL", "redis-py, one connection"):
        needs(WAYS[name].module)
        result = run(name, url_of(WAYS[name].server), scenario="share", layers=None, seconds=3)
        silent += sum(each["wrong"] for each in [result["parent"], *result["children"]])
    assert silent > 0
