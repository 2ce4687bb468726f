"""`bide work` and `bide workoff`: performing jobs in the foreground."""

from __future__ import annotations

import io
import logging
import sys
from typing import TYPE_CHECKING, Any

import click

from bide.cli.fleet import (
    PRIORITY,
    check_priorities,
    crews_for,
    fleet_options,
    log_format_option,
    needs_supervisor,
    probed,
    renewal_of,
    settings_of,
    split,
    supervisor_for,
)
from bide.cli.loading import load_app
from bide.log import logger
from bide.log_formats import formatter

if TYPE_CHECKING:
    from collections.abc import Callable

    from bide.app import App
    from bide.workers.worker import Worker


@click.command()
@fleet_options()
@click.pass_obj
def work(app_name: str | None, /, *, quiet: bool, log_format: str | None, **options: Any) -> None:
    """Perform jobs until stopped (Ctrl-C or SIGTERM; a second one gives the running job back)."""
    crews = crews_for(options)
    log_to_stdout(quiet=quiet, log_format=log_format)
    app = load_app(app_name)
    if needs_supervisor(options, crews):
        sys.exit(supervise(app, app_name, options))
    how = {name: options[name] for name in ("concurrency", "exit_on_complete")}
    wanted = crews[0].wanted
    work_alone(lambda: app.worker_for(wanted, **how, **settings_of(options)), app_name)


@click.command()
@click.option("--queues", "--queue", help="Only these queues, e.g. mail,billing.")
@click.option("--min-priority", type=PRIORITY, help="No jobs with a lower number.")
@click.option("--max-priority", type=PRIORITY, help="No jobs with a higher number.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
@log_format_option
@click.pass_obj
def workoff(
    app_name: str | None,
    /,
    *,
    quiet: bool,
    log_format: str | None,
    queues: str | None,
    **priorities: Any,
) -> None:
    """Perform the jobs that are ready, then end."""
    check_priorities(priorities["min_priority"], priorities["max_priority"])
    log_to_stdout(quiet=quiet, log_format=log_format)
    app = load_app(app_name)
    app.worker(queues=split(queues), exit_on_complete=True, **priorities).start()


def supervise(app: App, app_name: str | None, options: dict[str, Any]) -> int:
    """A fleet in the foreground, which systemd may watch and SIGHUP reloads."""
    from bide.workers.commission import Commission
    from bide.workers.renewal import Handover
    from bide.workers.systemd import Notifier

    supervisor = supervisor_for(app, options)
    if Commission.waits():
        return supervisor.run()
    left = Handover.received()
    if left is not None:
        supervisor.adopt(left)
    with probed(supervisor, options) as answers:
        return supervisor.run([Notifier(), *answers], renewal=renewal_of(app_name, {}))


def work_alone(make_worker: Callable[[], Worker], app_name: str | None) -> None:
    """One worker in this process, which SIGHUP reloads too."""
    from bide.workers.alone import Alone

    Alone(make_worker, renewal_of(app_name, {})).run()


def log_to_stdout(*, quiet: bool, log_format: str | None) -> None:
    """Lines as the original wrote them (time, worker, text), or for programs."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(formatter(log_format or "text"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
