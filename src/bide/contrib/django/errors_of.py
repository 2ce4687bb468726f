"""Failed attempts in Django's words: the path of the exception's class, and its traceback."""

from __future__ import annotations

import re

from bide.contrib.django.tasks_api import TaskError
from bide.errors import JobError
from bide.jobs.job import AttemptRow

_TRACEBACK = "Traceback (most recent call last):\n"
_PATH = re.compile(r"[A-Za-z_][\w.<>]*")
#: Kinds of attempts that did not end by an exception of their own.
_OURS = {"crash": f"{__name__}.WorkerCrashed", "cancelled": f"{__name__}.JobCancelled"}


class JobCancelled(JobError):
    """Somebody has cancelled the job: Django knows no such state, and sees it failed with this."""


class WorkerCrashed(JobError):
    """The process that ran the attempt died."""


def task_error(attempt: AttemptRow) -> TaskError:
    """One failed attempt."""
    if attempt.kind in _OURS:
        return TaskError(exception_class_path=_OURS[attempt.kind], traceback=attempt.error + "\n")
    message, found, _ = attempt.error.partition("\n" + _TRACEBACK)
    trace = attempt.error[len(message) + 1 :] if found else attempt.error
    path = _class_before(message, trace) or _class_after_frames(trace)
    return TaskError(exception_class_path=_full(path), traceback=trace.rstrip("\n") + "\n")


def cancelled_error() -> TaskError:
    """A job that an operator has cancelled."""
    return TaskError(
        exception_class_path=_OURS["cancelled"],
        traceback="The job was cancelled before it ended.\n",
    )


def _class_before(message: str, trace: str) -> str | None:
    """The class that stands before the message in the last line of a traceback that has one."""
    at = trace.rfind(f": {message}")
    if at < 0:
        at = len(trace) if trace.endswith("\n" + message) else -1
    line = trace[trace.rfind("\n", 0, at) + 1 : at] if at >= 0 else ""
    return line if _PATH.fullmatch(line) else None


def _class_after_frames(trace: str) -> str:
    """The class in the first line that does not belong to a frame."""
    for line in trace.rpartition(_TRACEBACK)[2].splitlines():
        found = _PATH.match(line)
        if found and not line.startswith(" "):
            return found[0]
    return "Exception"


def _full(path: str) -> str:
    return path if "." in path else f"builtins.{path}"
