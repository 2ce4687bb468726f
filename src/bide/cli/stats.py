"""`bide stats`: how many jobs succeeded and failed, how long they waited and ran."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import click

from bide import clock
from bide.cli.loading import load_app
from bide.cli.output import print_json, print_table
from bide.cli.selection import UNITS, When
from bide.jobs.statistics import DIMENSIONS, Statistic


class Duration(click.ParamType[timedelta]):
    """A length of time: 15m, 1h, 1d."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """At least a minute."""
        if isinstance(value, timedelta):
            return value
        given = re.fullmatch(r"(\d{1,6})([mhd])", value)
        if not given or not int(given[1]):
            self.fail(f"{value!r} is no length of time; e.g. 1m, 15m, 1h or 1d", param, ctx)
        return timedelta(seconds=int(given[1]) * UNITS[given[2]])


@click.command()
@click.option(
    "--since", type=When(), help="From this moment on: 2027-01-31, 15m, 6h, 2d. [default: 1h]"
)
@click.option("--until", type=When(), help="Up to this moment.")
@click.option("--all", "everything", is_flag=True, help="Since the first job.")
@click.option("--step", type=Duration(), help="A line for each 1m, 15m, 1h or 1d.")
@click.option(
    "--by",
    default="queue,name",
    show_default=True,
    help="What has lines of its own: queue, name, or both; nothing for one line.",
)
@click.option("--queue", help="Only this queue.")
@click.option("--name", help="Only jobs of this name, e.g. Order#invoice.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_obj
def stats(
    app_name: str | None,
    /,
    *,
    since: datetime | None,
    until: datetime | None,
    everything: bool,
    step: timedelta | None,
    by: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Count what succeeded and failed, and how long it waited and ran (seconds)."""
    if everything and (since or until):
        raise click.UsageError("--all is all time; leave out --since and --until")
    apart = [part.strip() for part in by.split(",") if part.strip()]
    if set(apart) - set(DIMENSIONS):
        raise click.BadParameter(
            f"{by!r} names something else than queue and name", param_hint="--by"
        )
    if since is None and not everything:
        since = (until or clock.utc_now()) - timedelta(hours=1)
    rows = load_app(app_name).store.statistics.read(since, until, step=step, by=apart, **chosen)
    if as_json:
        print_json([described(row, step) for row in rows])
        return
    keys = [*(["minute"] if step else []), *(one for one in DIMENSIONS if one in apart)]
    print_table(
        (*("from" if key == "minute" else key for key in keys), "succeeded", "failed attempts",
         "failed", "timed out", "crashed", "run avg", "run p95", "run max", "wait avg", "wait p95", "wait max"),
        [[*(getattr(row, key) for key in keys), *_cells(row)] for row in rows],
        nothing="Nothing was counted.",
    )  # fmt: skip


def described(row: Statistic, step: timedelta | None) -> dict[str, Any]:
    """A row as JSON shows it; `step` None: for all of the time."""
    return {
        **({"minute": row.minute} if step else {}),
        **{name: value for name, value in row._asdict().items() if name != "minute"},
        "attempts": row.attempts,
        "run_average": row.run_average,
        "run_p95": row.run_percentile(0.95),
        "wait_average": row.wait_average,
        "wait_p95": row.wait_percentile(0.95),
    }


def _cells(row: Statistic) -> list[Any]:
    times = (
        row.run_average, row.run_percentile(0.95), row.run_longest,
        row.wait_average, row.wait_percentile(0.95), row.wait_longest,
    )  # fmt: skip
    counts = (row.succeeded, row.failed_attempts, row.failed, row.timed_out, row.crashed)
    return [*counts, *("" if one is None else f"{one:.3f}" for one in times)]
