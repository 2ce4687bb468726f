"""Every known library over a fork, on real servers: with the fence, and the damage without it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forks.clients import ERROR, RIGHT, WAYS
from forks.conftest import needs

EXPERIMENT = Path(__file__).with_name("experiment.py")
ALL = {"seal": True, "forget": True, "owned": True}
EXITING = [
    "psycopg2, TLS",
    "psycopg 3",
    "psycopg_pool",
    "asyncpg",
    "pg8000",
    "SQLAlchemy + psycopg",
    "SQLAlchemy + mysqldb",
    "Django, PostgreSQL",
    "Django, MySQL",
    "PyMySQL",
    "mysqlclient",
    "mariadb connector",
    "mysql-connector",
    "redis-py, one connection",
    "redis.asyncio",
]
pytestmark = [pytest.mark.story, pytest.mark.timeout(120)]


def run(name: str, url: str, *, trace: bool = True, **order: Any) -> dict[str, Any]:
    order = {"way": name, "url": url, "children": 4, "questions": 300, "seconds": 20} | order
    environment = {"BIDE_TRACE_CONNECTIONS": "1" if trace else "", "PATH": "/usr/bin:/bin"}
    with tempfile.TemporaryFile("w+") as said:
        # A file, since children that hang would keep a pipe open for ever.
        program = subprocess.Popen(
            [sys.executable, str(EXPERIMENT), json.dumps(order)],
            stdout=said,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
        try:
            # Without the fence to hang is a usual end, and not worth much time.
            program.wait(order["seconds"] + (12 if order["layers"] else 7))
        except subprocess.TimeoutExpired:
            nothing = {"right": 0, "wrong": 0, "errors": 0, "hung": True}
            return {"parent": nothing, "children": []}
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program.pid, signal.SIGKILL)
            program.wait()
        said.seek(0)
        output = said.read()
    for line in output.splitlines():
        if line.startswith("RESULT "):
            return dict(json.loads(line.removeprefix("RESULT ")))
    raise AssertionError(f"{name}: {program.returncode}\n{output}")


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


@pytest.mark.parametrize(
    "way_out", ["os._exit", "sys.exit", "exception", "garbage collection", "close"]
)
@pytest.mark.parametrize("name", EXITING)
def test_however_a_child_leaves_the_parent_s_next_statements_work(
    name: str, way_out: str, url_of: Callable[[str], str]
) -> None:
    """DJ-095: closing is no goodbye on the parent's wire."""
    needs(WAYS[name].module)
    url = url_of(WAYS[name].server)
    result = run(name, url, scenario="exit", exit=way_out, layers=ALL)
    assert result["parent"]["right"] == 20, result


@pytest.mark.parametrize("name", ["mysqlclient", "mariadb connector", "psycopg2"])
def test_without_the_fence_a_child_that_closes_kills_the_parent_s_connection(
    name: str, url_of: Callable[[str], str]
) -> None:
    """The experiment above can fail."""
    needs(WAYS[name].module)
    result = run(name, url_of(WAYS[name].server), scenario="exit", exit="close", layers=None)
    assert result["parent"]["right"] == 0, result


@pytest.mark.parametrize(
    "name", ["psycopg2", "psycopg 3", "PyMySQL", "mysqlclient", "redis.asyncio"]
)
def test_the_seal_alone_keeps_the_parent_whole_and_children_get_no_wrong_answer(
    name: str, url_of: Callable[[str], str]
) -> None:
    """Alone it promises that nothing reaches the server; pools must reconnect by themselves."""
    needs(WAYS[name].module)
    layers = {"seal": True, "forget": False, "owned": False}
    result = run(name, url_of(WAYS[name].server), scenario="share", layers=layers)
    assert result["parent"]["right"] == 300, result
    assert sum(child["wrong"] for child in result["children"]) == 0, result
    assert not any(child["hung"] for child in result["children"]), result


@pytest.mark.parametrize("name", ["psycopg2", "psycopg 3, unix socket"])
def test_the_dead_end_of_a_postgresql_connection_says_what_happened(
    name: str, url_of: Callable[[str], str]
) -> None:
    """The seal alone, untraced: libpq shows the words of the wire protocol where it reads them."""
    needs(WAYS[name].module)
    layers = {"seal": True, "forget": False, "owned": False}
    result = run(name, url_of(WAYS[name].server), scenario="share", layers=layers, trace=False)
    for child in result["children"]:
        assert "was opened by process" in child["first_error"], result


@pytest.mark.parametrize(
    "name", ["psycopg 3", "PyMySQL", "SQLAlchemy + psycopg", "Django, PostgreSQL"]
)
def test_forgetting_alone_keeps_the_parent_whole_where_the_library_is_known(
    name: str, url_of: Callable[[str], str]
) -> None:
    """Alone it promises that for known classes only; what it does not know stays shared."""
    needs(WAYS[name].module)
    layers = {"seal": False, "forget": True, "owned": False}
    result = run(name, url_of(WAYS[name].server), scenario="share", layers=layers)
    assert result["parent"]["right"] == 300, result
    assert sum(child["wrong"] for child in result["children"]) == 0, result
