"""`bide work` and `bide workoff`: performing jobs in the foreground."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import click

from bide.cli.loading import load_app

if TYPE_CHECKING:
    from bide.app import App


PRIORITY = click.IntRange(-(2**31), 2**31 - 1)


@click.command()
@click.option("-n", "--number", type=click.IntRange(min=1), default=1, show_default=True,
              help="How many worker processes.")  # fmt: skip
@click.option("--queues", help="Only these queues, e.g. mail,billing.")
@click.option("--pool", "pools", multiple=True, metavar="QUEUES:N",
              help="A group of workers, e.g. --pool mail,tasks:2 --pool '*:1'.")  # fmt: skip
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True,
              help="Jobs at a time in each process.")  # fmt: skip
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Jobs at a time in each thread: async def ones on an event loop, others in threads.",
)
@click.option("--min-priority", type=PRIORITY, help="No jobs with a lower number.")
@click.option("--max-priority", type=PRIORITY, help="No jobs with a higher number.")
@click.option("--sleep-delay", type=click.FloatRange(min=0, min_open=True),
              help="Seconds between looks when nothing wakes the worker.")  # fmt: skip
@click.option("--exit-on-complete", is_flag=True, help="End when no job is ready.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
@click.pass_obj
def work(app_name: str | None, /, *, quiet: bool, **options: Any) -> None:
    """Perform jobs until stopped (Ctrl-C or SIGTERM; a second one gives the running job back)."""
    log_to_stdout(quiet=quiet)
    app = load_app(app_name)
    sys.exit(work_in_foreground(app, **options))


@click.command()
@click.option("--queues", help="Only these queues, e.g. mail,billing.")
@click.option("--min-priority", type=PRIORITY, help="No jobs with a lower number.")
@click.option("--max-priority", type=PRIORITY, help="No jobs with a higher number.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
@click.pass_obj
def workoff(app_name: str | None, /, *, quiet: bool, queues: str | None, **priorities: Any) -> None:
    """Perform the jobs that are ready, then end."""
    log_to_stdout(quiet=quiet)
    app = load_app(app_name)
    app.worker(queues=split(queues), exit_on_complete=True, **priorities).start()


def work_in_foreground(
    app: App, number: int, pools: tuple[str, ...], queues: str | None, **options: Any
) -> int:
    """One worker in this process, or a supervisor with several."""
    from bide.workers.pools import crews_of

    crews = crews_of(pools, number=number, queues=split(queues), **_priorities(options))
    how = {name: options[name] for name in ("concurrency", "exit_on_complete")}
    if options["sleep_delay"] is not None:
        how["sleep_delay"] = options["sleep_delay"]
    if len(crews) == 1 and crews[0].count == 1 and options["threads"] == 1:
        app.worker_for(crews[0].wanted, **how).start()
        return 0
    return app.supervisor(crews, threads=options["threads"], **how).run()


def _priorities(options: dict[str, Any]) -> dict[str, int | None]:
    return {"min_priority": options["min_priority"], "max_priority": options["max_priority"]}


def split(names: str | None) -> list[str] | None:
    """«mail, billing» as names; None for none."""
    if names is None:
        return None
    parts = [part.strip() for part in names.split(",")]
    if not all(parts):
        raise click.BadParameter(f"{names!r} has an empty name; e.g. mail,billing")
    return parts


def log_to_stdout(*, quiet: bool) -> None:
    """Lines as the original wrote them: time, worker, text."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter("%(asctime)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z"))
    logger = logging.getLogger("bide")
    logger.addHandler(handler)
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
