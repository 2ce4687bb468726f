"""What runs behind `bide start`: the daemon's process, its monitor, and the fleet after a reload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from bide.cli.fleet import probed, renewal_of, supervisor_for
from bide.cli.loading import load_app
from bide.cli.work import log_to_stdout
from bide.errors import DaemonError
from bide.workers import titles
from bide.workers.children import first_in_children
from bide.workers.control import Daemon
from bide.workers.daemon import daemonise, serving
from bide.workers.monitor import Monitor
from bide.workers.pidfile import PidFile
from bide.workers.renewal import Handover
from bide.workers.report import Report, Said
from bide.workers.status import StatusSocket
from bide.workers.supervisor import Attendant
from bide.workers.systemd import Notifier

PID_FILE = "pid_file"


def launch(daemon: Daemon, app_name: str | None, options: dict[str, Any]) -> Said:
    """Start the daemon and wait until it says that it is up; raises DaemonError."""

    def fleet(report: Report) -> int:
        first_in_children(report.close)
        _call_it(daemon, options)
        with_files = lambda: _with_files(daemon, app_name, options, [report])  # noqa: E731
        return serving(with_files, report)

    def watched(report: Report) -> int:
        return serving(lambda: _watch(daemon, options, report, fleet), report)

    return daemonise(watched if options["monitor"] else fleet, daemon.log)


def serve_again(
    daemon: Daemon, app_name: str | None, options: dict[str, Any], left: Handover
) -> int:
    """Go on as the fleet that this process was before it reloaded its code."""
    _call_it(daemon, options)
    daemon.pid_file = PidFile(daemon.pid_file.path, left.kept[PID_FILE])
    return _with_files(daemon, app_name, options, [], left)


def serve_in_fleet(daemon: Daemon, app_name: str | None, options: dict[str, Any]) -> int:
    """Be the child of a daemon whose processes begin by spawn."""
    _call_it(daemon, options)
    return supervisor_for(load_app(app_name), options).run(log=daemon.log)


def _call_it(daemon: Daemon, options: dict[str, Any]) -> None:
    prefix = options["prefix"]
    titles.named(f"{prefix}/{daemon.name}" if prefix else daemon.name)
    log_to_stdout(quiet=options["quiet"], log_format=options["log_format"])


def _with_files(
    daemon: Daemon,
    app_name: str | None,
    options: dict[str, Any],
    attendants: Sequence[Attendant],
    left: Handover | None = None,
) -> int:
    """The fleet, with a pid file that is held and a socket that answers for as long as it runs."""
    if left is None:
        daemon.pid_file.take()
    first_in_children(daemon.pid_file.close)
    answers = StatusSocket(daemon.socket)
    try:
        answers.open()
        return _fleet(daemon, app_name, options, [*attendants, answers, Notifier()], left)
    finally:
        answers.close()
        daemon.pid_file.let_go()


def _fleet(
    daemon: Daemon,
    app_name: str | None,
    options: dict[str, Any],
    attendants: Sequence[Attendant],
    left: Handover | None,
) -> int:
    try:
        supervisor = supervisor_for(load_app(app_name), options)
    except click.ClickException as error:
        raise DaemonError(error.format_message()) from error
    if left is not None:
        supervisor.adopt(left)
    renewal = renewal_of(app_name, {PID_FILE: daemon.pid_file.fd})
    with probed(supervisor, options) as answers:
        return supervisor.run(
            [*attendants, *answers], renewal=renewal, log=daemon.log, must_start=left is None
        )


def _watch(daemon: Daemon, options: dict[str, Any], report: Report, fleet: Any) -> int:
    """A monitor that holds a pid file of its own and starts the fleet again when it dies."""
    _call_it(daemon, options)
    titles.role("monitor")
    daemon.monitor_file.take()
    first_in_children(daemon.monitor_file.close)
    try:
        monitor = Monitor(lambda: fleet(report), lambda: report.was_up, daemon.log)
        return monitor.run(started=report.close)
    finally:
        daemon.monitor_file.let_go()
