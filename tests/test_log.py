"""The log: one logger, lines whose formats are interface (queue.md 5.5)."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest

import bide
from bide import events
from bide.log import LINES


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    """What was logged since the last call, as (level, text)."""
    caplog.set_level(logging.DEBUG, "bide")

    def since() -> list[tuple[str, str]]:
        told = [(record.levelname, record.getMessage()) for record in caplog.records]
        caplog.clear()
        return told

    return since


def test_every_line_of_a_job_has_its_name_id_and_queue(app: bide.App, lines: Any) -> None:
    """DJ-105, DJ-106, DJ-114, DJ-115, DJ-117: RUNNING, COMPLETED, FAILED, each at its level."""

    @app.job(name="Welcome")
    def welcome(*, fails: bool = False) -> None:
        if fails:
            raise ValueError("boom")

    worker = app.worker(name="w")
    job = welcome.using(queue="mail").delay()
    assert lines() == [("DEBUG", f"Job Welcome (id={job.id}) (queue=mail) ENQUEUED")]
    worker.work_off()
    running, completed = lines()
    assert running == ("INFO", f"[Worker(w)] Job Welcome (id={job.id}) (queue=mail) RUNNING")
    assert re.fullmatch(
        rf"\[Worker\(w\)\] Job Welcome \(id={job.id}\) \(queue=mail\) COMPLETED after \d+\.\d{{4}}",
        completed[1],
    )
    job = welcome.using(max_attempts=1, queue="").delay(fails=True)
    worker.work_off()
    _, _, failed, for_good = lines()
    assert failed == (
        "ERROR", f"Job Welcome (id={job.id}) FAILED (0 prior attempts) with ValueError: boom"
    )  # fmt: skip
    assert for_good == (
        "ERROR",
        f"Job Welcome (id={job.id}) FAILED permanently because of 1 consecutive failures",
    )


def test_a_worker_says_when_it_starts_what_it_did_and_why_it_ends(
    app: bide.App, lines: Any
) -> None:
    """DJ-110, DJ-115, queue.md 5.5."""

    @app.job
    def nothing() -> None: ...

    nothing.delay()
    app.worker(name="w", exit_on_complete=True).start()
    told = [text for _, text in lines()]
    assert told[1] == "[Worker(w)] Starting job worker"
    assert re.fullmatch(r"\[Worker\(w\)\] 1 jobs processed at \d+\.\d{4} j/s, 0 failed", told[4])
    assert told[5:] == ["[Worker(w)] No more jobs available. Exiting", "[Worker(w)] Exiting..."]


def test_hooks_that_fail_are_logged_with_their_traceback(
    app: bide.App, caplog: pytest.LogCaptureFixture
) -> None:
    """DJ-076, DJ-511."""

    @app.job(max_attempts=1)
    class Job:
        def perform(self) -> None:
            raise ValueError("boom")

        def failure(self) -> None:
            raise LookupError("in the hook")

    app.enqueue(Job())
    app.worker().work_off()
    [record] = [one for one in caplog.records if "callback" in one.getMessage()]
    assert "Error when running failure callback: LookupError: in the hook" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[0] is LookupError


def test_levels_are_those_of_the_logging_module(app: bide.App, lines: Any) -> None:
    """DJ-107, DJ-126: which lines are shown is the application's choice, as for any logger."""
    assert {level for level, _ in LINES.values()} <= {
        logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
    }  # fmt: skip
    logging.getLogger("bide").setLevel("ERROR")

    @app.job
    def nothing() -> None: ...

    nothing.delay()
    app.worker().work_off()
    assert lines() == []


def test_a_subscriber_that_raises_is_reported_and_harms_nobody(lines: Any) -> None:
    heard: list[str] = []

    def raises(name: str, facts: dict[str, Any]) -> None:
        raise ValueError(name)

    ends = [events.subscribe(raises), events.subscribe(lambda name, facts: heard.append(name))]
    events.emit("something", fact=1)
    for end in ends:
        end()
        end()
    assert heard == ["something"]
    [(level, text)] = lines()
    assert level == "ERROR"
    assert "failed on something" in text


def test_facts_may_be_called_as_anything() -> None:
    heard: list[Any] = []
    end = events.subscribe(lambda name, facts: heard.append(facts))
    events.emit("x", name="a name")
    end()
    assert heard == [{"name": "a name"}]


def test_subscribers_hear_of_each_job_what_metrics_need(app: bide.App) -> None:
    """DJ-350, DJ-351, DJ-352: run, error and failure, with the job and its facts."""
    heard: dict[str, dict[str, Any]] = {}
    end = events.subscribe(lambda name, facts: heard.setdefault(name, facts))

    @app.job
    def some(text: str) -> None:
        assert text == "good"

    some.using(priority=3).delay("good")
    some.using(max_attempts=1).delay("bad")
    app.worker().work_off()
    end()
    done = heard["job_completed"]
    assert (done["job"].name, done["job"].priority, done["job"].queue) == (
        "test_subscribers_hear_of_each_job_what_metrics_need.<locals>.some", 3, "default"
    )  # fmt: skip
    assert done["seconds"] >= 0
    assert isinstance(heard["job_failed"]["error"], AssertionError)
    assert heard["job_failed_permanently"]["attempts"] == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (bide.NotMigrated("no such table"), "The database lacks tables, trying again until it"),
        (bide.DatabaseError("gone"), "The database does not answer, trying again until it does"),
    ],
)
def test_a_database_without_tables_is_not_said_to_be_silent(error: Exception, told: str) -> None:
    _, words = LINES["database_lost"]
    assert words({"error": error}).startswith(told)
