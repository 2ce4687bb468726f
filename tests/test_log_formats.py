"""Log lines for programs: every line names the job, attempt, worker and trace it belongs to."""

from __future__ import annotations

import io
import json
import logging
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import bide
from bide.log_formats import JSONFormatter, LogfmtFormatter, add_fields, formatter
from waiting import wait_until
from workers.fleets import fleet


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


@pytest.fixture
def written() -> Iterator[Callable[[logging.Formatter], io.StringIO]]:
    """What all loggers write in a format from now on."""
    handlers: list[logging.Handler] = []
    root, level = logging.getLogger(), logging.getLogger("bide").level

    def write(format_: logging.Formatter) -> io.StringIO:
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(format_)
        root.addHandler(handler)
        handlers.append(handler)
        logging.getLogger("bide").setLevel(logging.INFO)
        return stream

    yield write
    for handler in handlers:
        root.removeHandler(handler)
    logging.getLogger("bide").setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_an_event_has_its_facts(app: bide.App, written: Any) -> None:
    @app.job(name="send", queue="mail", max_attempts=1)
    def send(fail: bool) -> None:
        if fail:
            raise ConnectionError("no\nanswer")

    stream = written(JSONFormatter())
    job, other = send.delay(False), send.delay(True)
    app.worker(name="w").work_off()
    by_event = {line.get("event"): line for line in lines(stream)}
    done = by_event["job_completed"]
    assert {name: done[name] for name in ("job_id", "job", "queue", "attempt", "worker")} == {
        "job_id": job.id, "job": "send", "queue": "mail", "attempt": 1, "worker": "w",
    }  # fmt: skip
    assert done["level"] == "info"
    assert done["seconds"] >= 0
    assert done["time"].endswith("+00:00")
    failed = by_event["job_failed"]
    assert (failed["job_id"], failed["error"], failed["level"]) == (
        other.id,
        "ConnectionError",
        "error",
    )
    assert "no\nanswer" in failed["exception"]


def test_lines_that_a_job_writes_itself_name_the_job(app: bide.App, written: Any) -> None:
    @app.job(name="send", queue="mail")
    def send() -> None:
        logging.getLogger("shop").warning("to %s", "ada", extra={"order": 7})

    stream = written(JSONFormatter())
    job = send.delay()
    app.worker().work_off()
    logging.getLogger("shop").warning("outside")
    inside, outside = (line for line in lines(stream) if line["logger"] == "shop")
    assert (inside["message"], inside["order"]) == ("to ada", 7)
    assert (inside["job_id"], inside["attempt"]) == (job.id, 1)
    assert "job_id" not in outside


def test_the_second_attempt_is_the_second(app: bide.App, written: Any) -> None:
    @app.job(backoff=lambda attempts: 0)
    def flaky() -> None:
        logging.getLogger("shop").warning("trying")
        if bide.current_job().attempts == 0:
            raise ValueError("boom")

    stream = written(JSONFormatter())
    flaky.delay()
    app.worker().work_off()
    tries = [line["attempt"] for line in lines(stream) if line["logger"] == "shop"]
    assert tries == [1, 2]


def test_pairs_are_quoted_where_they_must(written: Any) -> None:
    stream = written(LogfmtFormatter())
    logging.getLogger("shop").warning('a "b"\nc', extra={"plain": "x-1", "empty": "", "yes": True})
    [line] = stream.getvalue().splitlines()
    pairs = dict(pair.split("=", 1) for pair in shlex.split(line, posix=False) if "=" in pair)
    assert pairs["level"] == "warning"
    assert (pairs["plain"], pairs["empty"], pairs["yes"]) == ("x-1", '""', "true")
    assert r'message="a \"b\"\nc"' in line


def test_an_error_that_cannot_be_shown_is_a_line_still(written: Any) -> None:
    class Rude(Exception):
        def __str__(self) -> str:
            raise RuntimeError("never")

    stream = written(JSONFormatter())
    try:
        raise Rude
    except Rude:
        logging.getLogger("shop").exception("it broke", extra={"thing": {1, 2}.__class__})
    [line] = lines(stream)
    assert line["message"] == "it broke"
    assert "Rude" in line["exception"]


def test_others_may_add_fields(written: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bide.log_formats._fields", [])

    def region() -> dict[str, Any]:
        return {"region": "eu"}

    add_fields(region)
    add_fields(region)
    stream = written(JSONFormatter())
    logging.getLogger("shop").warning("x")
    assert lines(stream)[0]["region"] == "eu"


def test_text_is_as_it_was() -> None:
    record = logging.makeLogRecord({"msg": "hello", "created": 0.0})
    assert formatter("text").format(record).endswith(": hello")


@pytest.mark.story
def test_a_fleet_writes_json(sqlite_url: str, tmp_path: Path) -> None:
    with fleet(tmp_path, sqlite_url, log_format="json") as shop:
        shop.start("-n", "2")
        job_id = shop.enqueue("work", 1)
        wait_until(lambda: '"job_completed"' in shop.log.read_text(), within=30)
        told = [json.loads(line) for line in shop.log.read_text().splitlines()]
        [done] = [line for line in told if line.get("event") == "job_completed"]
        assert (done["job_id"], done["job"]) == (job_id, "work")
        assert done["worker"].startswith("host:")
