"""Plugins are applied to an application exactly once, whoever adds them how often."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

import bide
from bide.errors import InvalidCallback
from bide.jobs.lifecycle import Lifecycle
from bide.plugins.clear_locks import ClearLocks


class Audit(bide.Plugin):
    made: ClassVar[list[bide.Plugin]] = []
    told: ClassVar[list[str]] = []

    def __init__(self) -> None:
        self.made.append(self)

    def callbacks(self, lifecycle: Lifecycle) -> None:
        lifecycle.before("enqueue", lambda job: self.told.append("enqueue"))
        lifecycle.before("execute", lambda worker: self.told.append("execute"))
        lifecycle.after("failure", self.report)

    def report(self, worker: Any, job: bide.Job) -> None:
        self.told.append(f"failure {job.error}")


@pytest.fixture(autouse=True)
def _clean() -> None:
    Audit.made.clear()
    Audit.told.clear()


def failing(app: bide.App) -> Any:
    @app.job(max_attempts=1)
    def fails() -> None:
        raise ValueError("boom")

    return fails


def test_a_plugin_is_applied_once_however_many_workers_and_additions_there_are() -> None:
    """DJ-127, DJ-502."""
    app = bide.App("memory://")
    app.plugins.append(Audit)
    app.plugins.extend([Audit, Audit])
    failing(app).delay()
    for _ in range(3):
        app.worker(exit_on_complete=True).start()
    assert len(Audit.made) == 1
    assert Audit.told == ["enqueue", "execute", "failure boom", "execute", "execute"]


def test_a_process_that_only_enqueues_has_its_plugins() -> None:
    """DJ-502."""
    app = bide.App("memory://")
    app.plugins.append(Audit)
    failing(app).delay()
    assert Audit.told == ["enqueue"]


def test_an_object_may_be_a_plugin_and_applications_do_not_share_any() -> None:
    app, other = bide.App("memory://"), bide.App("memory://")
    mine = Audit()
    app.plugins.append(mine)
    app.plugins.append(mine)
    failing(other).delay()
    assert Audit.told == []
    failing(app).delay()
    assert Audit.told == ["enqueue"]


def test_what_is_no_plugin_is_refused() -> None:
    app = bide.App("memory://")
    with pytest.raises(InvalidCallback, match=r"no bide\.Plugin"):
        app.plugins.append(object())  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="must define callbacks"):
        app.plugins.append(type("Empty", (bide.Plugin,), {}))
    assert list(app.plugins) == [ClearLocks]


def test_a_worker_that_an_error_ends_holds_no_claim_afterwards() -> None:
    """queue.md 4.3: clear_locks runs on every way out; DJ-560."""
    app = bide.App("memory://")
    job = failing(app).delay()
    locks: list[Any] = []

    @app.lifecycle.around("execute")
    def dies_with_a_claim(worker: Any, proceed: Any) -> None:
        [row] = app.store.claim(worker.ref, worker._wanted, 1, job.created_at)
        locks.append(row.locked_by)
        raise MemoryError("gone")

    with pytest.raises(MemoryError):
        app.worker(name="me").start()
    assert locks == ["me"]
    assert (job.reload().locked_by, job.state, job.attempts) == (None, "ready", 0)
