"""`bide jobs`, `bide clear`, `bide check`: looking at stored jobs and mending them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from bide import clock
from bide.cli.audit import note_jobs
from bide.cli.loading import load_app
from bide.cli.output import confirm, print_json, print_table, printable
from bide.cli.selection import JobId, filter_of, selecting
from bide.jobs.job import Filter, JobRow, QueueRow, State
from bide.jobs.store import Store, Wanted
from bide.workers.settings import LONGEST

if TYPE_CHECKING:
    from bide.app import App


@click.group()
def jobs() -> None:
    """List, show, retry, cancel and delete jobs."""


@jobs.command("list")
@selecting
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True,
              help="Jobs of one page.")  # fmt: skip
@click.option(
    "--before", type=JobId(), help="The page behind this id: the last of the page before."
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_obj
def list_(
    app_name: str | None, /, *, limit: int, before: int | None, as_json: bool, **chosen: Any
) -> None:
    """List jobs, newest first."""
    rows = load_app(app_name).store.find(filter_of(chosen), limit=limit, before_id=before)
    if as_json:
        print_json([described(row) for row in rows])
        return
    print_table(
        ("id", "state", "queue", "priority", "attempts", "run at", "name", "error"),
        [
            (row.id, State(row.state).name.lower(), row.queue, row.priority, row.attempts,
             row.run_at, row.name, (row.last_error or "").partition("\n")[0][:80])
            for row in rows
        ],
        nothing="No jobs.",
    )  # fmt: skip
    if len(rows) == limit:
        click.echo(f"More: --before {rows[-1].id}", err=True)


@jobs.command()
@click.argument("id", type=JobId())
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.pass_obj
def show(app_name: str | None, /, *, id: int, as_json: bool) -> None:  # noqa: A002 - the argument's name
    """Show one job with every failed attempt."""
    app = load_app(app_name)
    app.find(id)
    row, attempts = app.store.get(id), app.store.attempts(id)
    assert row is not None
    if as_json:
        print_json({**described(row), "failures": [one._asdict() for one in attempts]})
        return
    for name, value in described(row).items():
        if value not in (None, "") and not (name == "last_error" and attempts):
            click.echo(f"{name:>12}  {printable(value)}")
    for one in attempts:
        click.echo(
            f"\nattempt {one.attempt} by {printable(one.worker)}, {one.kind}, "
            f"{printable(one.ended_at)}:"
        )
        click.echo("\n".join(f"  {printable(line)}" for line in one.error.splitlines()))


@jobs.command()
@selecting
@click.option("--keep-attempts", is_flag=True, help="Do not count attempts from zero again.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def retry(app_name: str | None, /, *, keep_attempts: bool, yes: bool, **chosen: Any) -> None:
    """Make failed, cancelled or scheduled jobs ready now. Without a filter: all failed ones."""
    app = load_app(app_name)
    which = filter_of(chosen)
    if which == Filter():
        which = Filter(states=(State.FAILED,))
    store = app.store
    _change(
        app,
        which,
        "retry",
        yes,
        lambda which: store.retry(which, clock.utc_now(), reset_attempts=not keep_attempts),
    )


@jobs.command()
@selecting
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def cancel(app_name: str | None, /, *, yes: bool, **chosen: Any) -> None:
    """Cancel jobs that have not finished. Needs ids or a filter."""
    app = load_app(app_name)
    _change(
        app, _some(chosen), "cancel", yes, lambda which: app.store.cancel(which, clock.utc_now())
    )


@jobs.command()
@selecting
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def delete(app_name: str | None, /, *, yes: bool, **chosen: Any) -> None:
    """Delete jobs, running ones too. Needs ids or a filter."""
    app = load_app(app_name)
    _change(app, _some(chosen), "delete", yes, app.store.delete)


@click.command()
@click.option("--queue", help="Only this queue.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def clear(app_name: str | None, /, *, queue: str | None, yes: bool) -> None:
    """Delete every job, of all states."""
    app = load_app(app_name)
    _change(app, Filter(queue=queue), "delete", yes, app.store.delete)


@click.command()
@click.option("--max-age", type=click.FloatRange(min=0), default=300.0, show_default=True,
              help="Seconds that a job may wait after it became due.")  # fmt: skip
@click.option("--queue", help="Only this queue.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.pass_obj
def check(app_name: str | None, /, *, max_age: float, queue: str | None, as_json: bool) -> None:
    """Fail (status 1) when a job has waited too long; scheduled jobs do not count before their time."""
    now, store = clock.utc_now(), load_app(app_name).store
    bound = now - timedelta(seconds=min(max_age, LONGEST))
    waiting = [
        (row.name, due)
        for row in store.queues()
        if queue in (None, row.name) and (due := _oldest_due(store, row)) is not None
    ]
    late = [(name, due) for name, due in waiting if due < bound]
    if as_json:
        print_json([{"queue": name, "oldest_ready": due} for name, due in late])
    for name, due in late:
        age = (now - due).total_seconds()
        click.echo(
            f"queue {printable(name)}: jobs older than {max_age:g} seconds have not been "
            f"processed yet; the oldest waits for {age:.0f} seconds",
            err=True,
        )
    sys.exit(1 if late else 0)


def _oldest_due(store: Store, queue: QueueRow) -> datetime | None:
    """Since when a job of the queue waits; where no worker runs, nobody makes scheduled ones ready."""
    moments = [queue.oldest_ready, store.next_run_at(Wanted((queue.name,)))]
    return min((moment for moment in moments if moment is not None), default=None)


def _some(chosen: dict[str, Any]) -> Filter:
    which = filter_of(chosen)
    if which == Filter():
        raise click.UsageError("Which jobs? Give ids or a filter, e.g. --state failed --queue mail")
    return which


def _change(app: App, which: Filter, verb: str, yes: bool, change: Callable[[Filter], int]) -> None:
    """Do it to exactly the ids given, or ask with the number first."""
    if which.ids is None:
        number = app.store.count(which)
        if number:
            confirm(f"{verb.capitalize()} {number} jobs?", yes=yes)
    changed = change(which)
    if changed:
        note_jobs(app.store, verb, which, changed)
    click.echo(f"{verb}: {changed} {'job' if changed == 1 else 'jobs'}")
    if which.ids is not None and changed < len(set(which.ids)):
        raise click.ClickException(
            f"{len(set(which.ids)) - changed} of them could not be changed: gone, or in a state "
            f"that does not allow it (see bide jobs list {' '.join(map(str, which.ids[:3]))})"
        )


def described(row: JobRow) -> dict[str, Any]:
    """A job as JSON shows it."""
    told = row._asdict()
    told["state"] = State(row.state).name.lower()
    return told
