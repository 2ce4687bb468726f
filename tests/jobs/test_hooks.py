"""Hooks of a job object: which, with what, in which order, and what their errors do (queue.md 3)."""

from __future__ import annotations

from typing import Any

import pytest

import bide
from bide.jobs.hooks import HOOKS, ask, call_hook

TOLD: list[Any] = []


@pytest.fixture(autouse=True)
def _clean() -> None:
    TOLD.clear()


@pytest.fixture
def app() -> bide.App:
    return bide.App("memory://", max_attempts=1)


class Careful:
    """Has every hook; `trouble` names those that raise."""

    def __init__(self, *trouble: str) -> None:
        self.trouble = list(trouble)

    def _say(self, hook: str, *more: Any) -> None:
        TOLD.append((hook, *more))
        if hook in self.trouble:
            raise LookupError(hook)

    def perform(self) -> None:
        self._say("perform")

    def enqueue(self, job: bide.Job) -> None:
        self._say("enqueue", job.name)

    def before(self, job: bide.Job) -> None:
        self._say("before", job.name)

    def success(self, job: bide.Job) -> None:
        self._say("success", job.name)

    def after(self, job: bide.Job) -> None:
        self._say("after", job.name)

    def error(self, job: bide.Job, error: Exception) -> None:
        self._say("error", job.name, str(error))

    def failure(self, job: bide.Job) -> None:
        self._say("failure", job.name, str(job.error))


def run(app: bide.App, *trouble: str) -> tuple[list[str], bide.Job, tuple[int, int]]:
    app.job(Careful)
    job = app.enqueue(Careful(*trouble))
    result = app.worker().work_off()
    return [name for name, *_ in TOLD], job, result


def test_hooks_get_the_job_in_order(app: bide.App) -> None:
    """DJ-021, DJ-022, DJ-023, DJ-024, DJ-281."""
    order, _, result = run(app)
    assert order == ["enqueue", "before", "perform", "success", "after"]
    assert {name for _, name in TOLD[:2]} == {"Careful"}
    assert result == (1, 0)


def test_a_failing_job_tells_error_after_and_failure(app: bide.App) -> None:
    """DJ-025, DJ-075, DJ-282, DJ-308."""
    order, job, result = run(app, "perform")
    assert order == ["enqueue", "before", "perform", "error", "after", "failure"]
    assert ("error", "Careful", "perform") in TOLD
    assert ("failure", "Careful", "perform") in TOLD
    assert (result, job.reload().state) == ((0, 1), "failed")


def test_a_before_hook_that_raises_keeps_the_job_from_running(app: bide.App) -> None:
    """DJ-026."""
    order, job, _ = run(app, "before")
    assert order == ["enqueue", "before", "error", "after", "failure"]
    assert (job.reload().last_error or "").startswith("before")


@pytest.mark.parametrize("hook", ["success", "after"])
def test_a_success_or_after_hook_that_raises_is_reported_and_the_job_is_done(
    app: bide.App, hook: str
) -> None:
    """DJ-509."""
    order, _, result = run(app, hook)
    assert order == ["enqueue", "before", "perform", "success", "after"]
    assert result == (1, 0)


@pytest.mark.parametrize(
    ("hook", "order"),
    [
        ("success", ["before", "perform", "success", "error", "after", "failure"]),
        ("after", ["before", "perform", "success", "after", "failure"]),
    ],
)
def test_the_setting_makes_them_failures_as_in_the_original(hook: str, order: list[str]) -> None:
    """DJ-509: retry_on_hook_error."""
    app = bide.App("memory://", max_attempts=1, retry_on_hook_error=True)
    told, job, result = run(app, hook)
    assert told[1:] == order
    assert result == (0, 1)
    assert (job.reload().last_error or "").startswith(hook)


@pytest.mark.parametrize("hook", ["error", "after"])
def test_the_jobs_own_error_is_kept_and_the_hooks_is_joined_to_it(app: bide.App, hook: str) -> None:
    """DJ-510."""
    order, job, _ = run(app, "perform", hook)
    assert order == ["enqueue", "before", "perform", "error", "after", "failure"]
    text = job.reload().last_error or ""
    assert text.startswith("perform")
    assert f"The {hook} hook of the job failed too: LookupError: {hook}" in text


def test_a_failure_hook_that_raises_changes_nothing(app: bide.App) -> None:
    """DJ-076, DJ-081, DJ-511."""
    order, job, result = run(app, "perform", "failure")
    assert order[-1] == "failure"
    assert (result, job.reload().state) == ((0, 1), "failed")
    assert (job.last_error or "").startswith("perform")


def test_a_job_without_hooks_is_not_asked_for_any(app: bide.App) -> None:
    """DJ-077, DJ-438."""
    plain = app.job(type("Plain", (), {"perform": lambda self: 1 / 0, "after": "no method"}))
    app.enqueue(plain())
    assert app.worker().work_off() == (0, 1)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_without_parameters_is_called_with_none(hook: str) -> None:
    """queue.md 3.1."""
    target = type("Target", (), {hook: lambda self: TOLD.append(hook)})()
    assert call_hook(target, hook, "job", "error")
    assert [hook] == TOLD
    assert not call_hook(object(), hook, "job")


def test_optional_answers_may_be_attributes_or_methods() -> None:
    """queue.md 3.2."""
    target = type("Target", (), {"max_attempts": 3, "max_run_time": lambda self: 4})()
    assert [ask(target, name) for name in ("max_attempts", "max_run_time", "queue_name")] == [
        3, 4, None
    ]  # fmt: skip


@pytest.mark.parametrize("answer", ["error", "failure"])
def test_callbacks_set_to_raise_do_not_disturb_a_good_job(app: bide.App, answer: str) -> None:
    """DJ-330, DJ-332."""
    app.lifecycle.before(answer, lambda worker, job: 1 / 0)
    _, _, result = run(app)
    assert result == (1, 0)
