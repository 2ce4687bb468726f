"""The options of a fleet, the same for `bide work` and for the daemon's commands, and the fleet they ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from bide.app import App
    from bide.workers.renewal import Renewal
    from bide.workers.roster import Crew
    from bide.workers.supervisor import Attendant, Supervisor

from bide.log_formats import FORMATS

PRIORITY = click.IntRange(-(2**31), 2**31 - 1)
F = TypeVar("F", bound=Callable[..., Any])


log_format_option = click.option(
    "--log-format", type=click.Choice(FORMATS), envvar="BIDE_LOG_FORMAT",
    help="How log lines are written: text for people, json or logfmt for programs.",
)  # fmt: skip


class Address(click.ParamType[tuple[str, int]]):
    """Where to listen: 8081, 127.0.0.1:8081 or [::1]:8081; without a host at every address."""

    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Host and port."""
        if isinstance(value, tuple):
            return value
        host, _, port = value.rpartition(":")
        if not port.isdecimal() or int(port) > 65535:
            self.fail(f"{value!r} is no port; e.g. 8081 or 127.0.0.1:8081", param, ctx)
        return host.strip("[]"), int(port)


def fleet_options(*, hidden: bool = False) -> Callable[[F], F]:
    """Add the options to a command; `hidden` ones are understood, and used by another verb."""
    options = [
        click.option("-n", "--number", "--number-of-workers", type=click.IntRange(min=1),
                     default=1, show_default=True, help="How many worker processes."),
        click.option("--queues", "--queue", help="Only these queues, e.g. mail,billing."),
        click.option("--pool", "pools", multiple=True, metavar="QUEUES:N",
                     help="A group of workers, e.g. --pool mail,tasks:2 --pool '*:1'."),
        click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True,
                     help="Jobs at a time in each process."),
        click.option("--concurrency", type=click.IntRange(min=1), default=1, show_default=True,
                     help="Jobs at a time in each thread: async def ones on an event loop, "
                     "others in threads."),
        click.option("--min-priority", type=PRIORITY, help="No jobs with a lower number."),
        click.option("--max-priority", type=PRIORITY, help="No jobs with a higher number."),
        click.option("--sleep-delay", type=click.FloatRange(min=0, min_open=True),
                     help="Seconds between looks when nothing wakes the worker."),
        click.option("--read-ahead", type=click.IntRange(min=1),
                     help="The most jobs that a worker claims at once."),
        click.option("--health-port", type=Address(), metavar="[HOST:]PORT",
                     help="Answer probes at /live and /ready of this port."),
        click.option("--exit-on-complete", is_flag=True, help="End when no job is ready."),
        click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors in the log."),
        log_format_option,
    ]  # fmt: skip

    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        if hidden:
            for parameter in command.__click_params__:  # type: ignore[attr-defined]
                parameter.hidden = True
        return command

    return add


def crews_for(options: dict[str, Any]) -> list[Crew]:
    """The crews that the options ask for; raises SettingsError."""
    from bide.workers.pools import crews_of
    from bide.workers.roster import Lanes

    check_priorities(options["min_priority"], options["max_priority"])
    crews = crews_of(
        options["pools"],
        number=options["number"],
        queues=split(options["queues"]),
        min_priority=options["min_priority"],
        max_priority=options["max_priority"],
    )
    Lanes(options["threads"], options["concurrency"]).check(crews)
    return crews


def check_priorities(least: int | None, most: int | None) -> None:
    """Raise click.BadParameter when no number lies between the two."""
    if least is not None and most is not None and least > most:
        raise click.BadParameter(
            f"no priority is at least {least} and at most {most}; lower numbers run first, "
            "e.g. --min-priority 0 --max-priority 10",
            param_hint="'--min-priority' / '--max-priority'",
        )


def settings_of(options: dict[str, Any]) -> dict[str, Any]:
    """The settings that the options change; what was not given stays (DJ-581)."""
    names = ("sleep_delay", "read_ahead")
    return {name: options[name] for name in names if options[name] is not None}


def supervisor_for(app: App, options: dict[str, Any]) -> Supervisor:
    """A supervisor with these crews."""
    return app.supervisor(
        crews_for(options),
        threads=options["threads"],
        concurrency=options["concurrency"],
        exit_on_complete=options["exit_on_complete"],
        **settings_of(options),
    )


@contextmanager
def probed(supervisor: Supervisor, options: dict[str, Any]) -> Iterator[list[Attendant]]:
    """What answers probes while the fleet runs; nothing without --health-port."""
    from bide.workers.health_port import HealthPort

    if not options["health_port"]:
        yield []
        return
    host, port = options["health_port"]
    settings = supervisor.settings
    answers = HealthPort(host, port, settings.heartbeat_interval * settings.missed_heartbeats)
    click.echo(f"Probes are answered at port {answers.open()}: /live, /ready")
    try:
        yield [answers]
    finally:
        answers.close()


def renewal_of(app_name: str | None, kept: dict[str, int]) -> Renewal:
    """How this command's supervisor reloads the application."""
    from bide.workers.renewal import Renewal

    check = "import sys; from bide.cli.loading import load_app; load_app(sys.argv[1] or None)"
    return Renewal([sys.executable, "-c", check, app_name or ""], kept)


def needs_supervisor(options: dict[str, Any], crews: list[Crew]) -> bool:
    """One worker alone needs none, except where it is probed, under systemd, and as the first process of
    a container."""
    if options["health_port"]:
        return True
    several = len(crews) > 1 or crews[0].count > 1 or options["threads"] > 1
    return several or "NOTIFY_SOCKET" in os.environ or os.getpid() == 1


def split(names: str | None) -> list[str] | None:
    """«mail, billing» as names; None for none."""
    if names is None:
        return None
    parts = [part.strip() for part in names.split(",")]
    if not all(parts):
        raise click.BadParameter(f"{names!r} has an empty name; e.g. mail,billing")
    return parts
