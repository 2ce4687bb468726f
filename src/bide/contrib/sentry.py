"""Errors of jobs in Sentry, each with its job; bide.contrib.sentry.Sentry is added as a plugin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

from bide.errors import MissingDependency, WorkerStop
from bide.jobs.handle import Job
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.plugin import Plugin

try:
    import sentry_sdk
    from sentry_sdk import Scope
    from sentry_sdk.integrations.logging import ignore_logger
except ModuleNotFoundError as missing:
    raise MissingDependency("bide.contrib.sentry", "sentry") from missing

#: Seconds for which a worker that ends waits until its last events are sent.
PATIENCE: Final = 2.0


class Sentry(Plugin):
    """`sentry_sdk.init(...)`, then `app.plugins.append(Sentry())`.

    Each attempt has a scope of its own: tags, breadcrumbs and users of one job never show in another.
    `report`: every failed attempt, or only the last of a job. Arguments are sent with
    `send_arguments` only. With traces sampled by Sentry an attempt is a transaction.
    """

    def __init__(
        self,
        *,
        report: Literal["every", "last"] = "every",
        send_arguments: bool = False,
    ) -> None:
        self._every, self._send_arguments = report == "every", send_arguments
        self._scopes: dict[str, Scope] = {}
        # Its lines tell the same errors again, without their jobs.
        ignore_logger("bide")

    def callbacks(self, lifecycle: Lifecycle) -> None:
        """A scope around hooks and perform, in which the error or failure event reports."""
        lifecycle.around("invoke_job", self._invoke)
        lifecycle.before("error" if self._every else "failure", self._report)
        lifecycle.always("error", self._forget)
        lifecycle.always("execute", self._flush)

    def _invoke(self, job: Job, proceed: Callable[[Job], Any]) -> Any:
        with sentry_sdk.isolation_scope() as scope:
            self._describe(scope, job)
            try:
                with sentry_sdk.start_transaction(op="queue.process", name=job.name, source="task"):
                    return proceed(job)
            except WorkerStop:  # it runs again elsewhere, and nothing failed
                raise
            except BaseException:
                if job.id is not None:  # what runs inline raises to its caller, who tells
                    self._scopes[job.key] = scope
                raise

    def _report(self, _worker: Any, job: Job) -> None:
        scope = self._scopes.get(job.key)
        if scope is None:  # it could not be loaded, or its time was over before it began
            scope = sentry_sdk.get_isolation_scope().fork()
            self._describe(scope, job)
        with sentry_sdk.scope.use_isolation_scope(scope):
            sentry_sdk.capture_exception(job.error)

    def _forget(self, _worker: Any, job: Job) -> None:
        self._scopes.pop(job.key, None)

    def _describe(self, scope: Scope, job: Job) -> None:
        scope.clear_breadcrumbs()
        scope.set_transaction_name(job.name, source="task")
        scope.set_tag("bide.job", job.name)
        scope.set_tag("bide.queue", job.queue)
        scope.set_context("bide", self._described(job))

    def _flush(self, _worker: Any) -> None:
        """A worker's process ends without Sentry's own function at exit."""
        sentry_sdk.flush(timeout=PATIENCE)

    def _described(self, job: Job) -> dict[str, Any]:
        return {
            "id": job.id,
            "name": job.name,
            "queue": job.queue,
            "attempt": job.attempts + 1,
            "priority": job.priority,
            "worker": job.locked_by,
            "enqueued_at": job.created_at.isoformat(),
            **({"arguments": job.payload} if self._send_arguments else {}),
        }
