"""Becoming a daemon: a session of its own without a terminal, and a report of its real fate (DJ-576)."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable

from bide.errors import BideError, DaemonError
from bide.workers.children import fork_child
from bide.workers.logfile import LogFile
from bide.workers.report import Report, Said

#: Exit status of a daemon that could not start.
NOT_STARTED = 1

Serve = Callable[[Report], int]


def daemonise(serve: Serve, log: LogFile) -> Said:
    """Run `serve` in a daemon; returns when that reports to be up.

    To be called before anything of the application is imported or opened. The directory and the umask
    stay as they are. Raises DaemonError with the daemon's own words when it ends instead.
    """
    log.mark()
    report = Report()
    between = fork_child(lambda: _detach(serve, log, report))
    said = report.heard()
    os.waitpid(between, 0)
    if said is None:
        raise DaemonError(f"the daemon ended before it was up. {_told_by(log)}")
    if said.error:
        raise DaemonError(said.error)
    return said


def _told_by(log: LogFile) -> str:
    words = log.since_mark()
    return f"The end of {log.path}:\n{words}" if words else f"{log.path} says nothing"


def _detach(serve: Serve, log: LogFile, report: Report) -> int:
    """A session leader could get a terminal again; its child cannot."""
    os.setsid()
    fork_child(lambda: _be_daemon(serve, log, report))
    return 0


def _be_daemon(serve: Serve, log: LogFile, report: Report) -> int:
    report.to_be_given()
    try:
        log.open()
    except OSError as error:
        report.failed(f"the log file cannot be written: {error}; choose another with --log-dir")
        return NOT_STARTED
    return serve(report)


def serving(serve: Callable[[], int], report: Report) -> int:
    """`serve`, with an error of its start told to the log and to the command."""
    try:
        return serve()
    except Exception as error:  # noqa: BLE001 - whatever it was, the command tells it
        traceback.print_exc()
        known = isinstance(error, BideError)
        report.failed(str(error) if known else f"{type(error).__name__}: {error}")
        return NOT_STARTED
