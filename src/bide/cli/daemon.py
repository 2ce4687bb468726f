"""`bide start`, `stop`, `restart`, `status`, `reload`: a fleet that works in the background."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bide.cli.daemon_process import launch, serve_again, serve_in_fleet
from bide.cli.fleet import crews_for, fleet_options
from bide.cli.output import print_json, print_table
from bide.errors import AlreadyRunning
from bide.workers.commission import Commission
from bide.workers.control import Daemon
from bide.workers.renewal import Handover

if TYPE_CHECKING:
    from bide.workers.pidfile import Owner

F = TypeVar("F", bound=Callable[..., Any])

NOTHING_RUNS = 3
_DIRECTORY = click.Path(path_type=Path, file_okay=False)


def daemon_options(command: F) -> F:
    """Add what names a daemon and says where it lives."""
    for option in reversed(
        [
            click.option("-i", "--identifier", help="Tell several daemons apart, e.g. mail."),
            click.option("--pid-dir", default="tmp/pids", show_default=True,
                         type=_DIRECTORY, help="Where the pid file is."),
            click.option("--log-dir", default="log", show_default=True,
                         type=_DIRECTORY, help="Where the log file is."),
            click.option("-p", "--prefix", help="Begin the titles of processes with this."),
            click.option("-m", "--monitor", is_flag=True,
                         help="Watch the supervisor, start it again when it dies."),
        ]
    ):  # fmt: skip
        command = option(command)
    return command


def _daemon(options: dict[str, Any]) -> Daemon:
    """The daemon that the options name; every other option is looked at too, whatever the verb."""
    crews_for(options)
    return Daemon(options["pid_dir"], options["log_dir"], options["identifier"])


@click.command()
@fleet_options()
@daemon_options
@click.pass_obj
def start(app_name: str | None, /, **options: Any) -> None:
    """Start a fleet in the background; returns when it is up, with status 1 when it does not start."""
    daemon = _daemon(options)
    if Commission.waits():
        sys.exit(serve_in_fleet(daemon, app_name, options))
    left = Handover.received()
    if left is not None:
        sys.exit(serve_again(daemon, app_name, options, left))
    _start(daemon, app_name, options)


def _start(daemon: Daemon, app_name: str | None, options: dict[str, Any]) -> None:
    owner = daemon.owner() or daemon.monitor_file.owner()
    if owner is not None:
        raise AlreadyRunning(daemon.pid_file.path, owner)
    for line in daemon.clear_stale():
        click.echo(line)
    said = launch(daemon, app_name, options)
    click.echo(f"{daemon.name}: process with pid {said.pid} started.")
    if said.note:
        click.echo(f"{daemon.name}: {said.note}; see {daemon.log.path}", err=True)


@click.command()
@daemon_options
@fleet_options(hidden=True)
def stop(**options: Any) -> None:
    """Stop the fleet: running jobs may end within the grace time, then they are given back.

    Takes the options of `start` too, as deployment scripts pass the same to each command.
    """
    daemon = _daemon(options)
    if daemon.owner() or daemon.monitor_file.owner():
        _stop(daemon)
        return
    cleared = daemon.clear_stale()
    for line in cleared:
        click.echo(line)
    if not cleared:
        _nothing_runs(daemon)


def _stop(daemon: Daemon) -> None:
    owner = daemon.owner() or daemon.monitor_file.owner()
    patience = daemon.patience()
    pid = owner.pid if owner else 0
    click.echo(
        f"{daemon.name}: trying to stop process with pid {pid} sending TERM "
        f"and waiting {patience:g}s ..."
    )
    if daemon.stop(patience):
        click.echo(f"{daemon.name}: process with pid {pid} successfully stopped.")
    else:
        click.echo(
            f"{daemon.name}: process with pid {pid} did not stop within {patience:g}s and was killed "
            "with its workers; the jobs that they ran will run again",
            err=True,
        )


def _nothing_runs(daemon: Daemon) -> None:
    others = ", ".join(daemon.others())
    hint = f" (running here: {others}; choose with --identifier)" if others else ""
    click.echo(f"{daemon.name}: no instances running{hint}", err=True)


@click.command()
@fleet_options()
@daemon_options
@click.pass_obj
def restart(app_name: str | None, /, **options: Any) -> None:
    """Stop the fleet if it runs, then start it with these options."""
    daemon = _daemon(options)
    if Commission.waits():
        sys.exit(serve_in_fleet(daemon, app_name, options))
    left = Handover.received()
    if left is not None:
        sys.exit(serve_again(daemon, app_name, options, left))
    if daemon.owner() or daemon.monitor_file.owner():
        _stop(daemon)
    else:
        click.echo(f"{daemon.name}: warning: no instances running. Starting...", err=True)
    _start(daemon, app_name, options)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@daemon_options
@fleet_options(hidden=True)
def status(*, as_json: bool, **options: Any) -> None:
    """Say whether the fleet runs, which workers it has, what they run and since when.

    Ends with status 3 when it does not run.
    """
    daemon = _daemon(options)
    owner = daemon.owner()
    if as_json:
        _print_json(daemon, owner)
    elif owner is not None:
        _print_status(daemon, owner)
    else:
        for line in daemon.clear_stale():
            click.echo(line)
        _nothing_runs(daemon)
    if owner is None:
        sys.exit(NOTHING_RUNS)


def _print_json(daemon: Daemon, owner: Owner | None) -> None:
    monitor = daemon.monitor_file.owner()
    known = {"name": daemon.name, "running": owner is not None}
    if owner is not None:
        told = daemon.facts()
        known |= {"pid": owner.pid, "answers": told is not None, **(told or {})}
    print_json({**known, "monitor": monitor.pid if monitor else None})


def _print_status(daemon: Daemon, owner: Owner) -> None:
    facts = daemon.facts()
    if facts is None:
        click.echo(f"{daemon.name}: running [pid {owner.pid}], but it does not answer")
        return
    monitor = daemon.monitor_file.owner()
    watched = f", watched by {monitor.pid}" if monitor else ""
    click.echo(
        f"{daemon.name}: running [pid {owner.pid}] since {facts['since'][:19]}Z, "
        f"{facts['state']}{watched}"
    )
    print_table(
        ("place", "pid", "since", "done", "runs"),
        [
            (one["place"], one["pid"], one["since"], one["done"], _jobs(one["jobs"]))
            for one in facts["workers"]
        ],
        nothing="no workers",
    )


def _jobs(jobs: list[dict[str, Any]]) -> str:
    running = [f"{job['name']} (id={job['id']}) since {job['since']}" for job in jobs]
    return ", ".join(running) or "nothing"


@click.command()
@daemon_options
@fleet_options(hidden=True)
def reload(**options: Any) -> None:
    """Load the application's code anew: each worker is replaced when its successor is at work.

    Code that cannot be imported is refused, with its error in the log; the fleet works on.
    """
    daemon = _daemon(options)
    owner = daemon.tell(signal.SIGHUP)
    click.echo(f"{daemon.name}: process with pid {owner.pid} reloads; see {daemon.log.path}")
