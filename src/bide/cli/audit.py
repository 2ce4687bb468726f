"""`bide audit`: who did what; and how commands write themselves into that list."""

from __future__ import annotations

import getpass
import json
import os
import socket
from typing import Any

import click

from bide import clock
from bide.cli.loading import load_app
from bide.cli.output import print_json, print_table
from bide.errors import NotMigrated
from bide.jobs.audit import AuditEntry
from bide.jobs.job import Filter, State
from bide.jobs.store import Store

#: Jobs that get an entry each; what changes more is one entry with the filter.
EACH = 100


@click.command()
@click.option("--who", help="Only what this user did, e.g. ada@shop-1.")
@click.option("--action", help="Only this action, e.g. jobs.retry.")
@click.option("--what", help="Only what was done to this job, queue or text.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True,
              help="Entries of one page.")  # fmt: skip
@click.option("--before", type=int, help="The page behind this id: the last of the page before.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_obj
def audit(
    app_name: str | None, /, *, limit: int, before: int | None, as_json: bool, **chosen: Any
) -> None:
    """List what people did to jobs, queues and texts, newest first."""
    rows = load_app(app_name).store.audit.read(limit=limit, before_id=before, **chosen)
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    print_table(
        ("id", "at", "who", "action", "what", "detail"),
        [(*row[:-1], json.dumps(row.detail, ensure_ascii=False)) for row in rows],
        nothing="Nothing was done.",
    )
    if len(rows) == limit:
        click.echo(f"More: --before {rows[-1].id}", err=True)


def note(store: Store, action: str, *what: str, **detail: Any) -> None:
    """Write what this command did into the audit list, an entry for each `what`."""
    now, who = clock.utc_now(), user()
    try:
        store.audit.write([AuditEntry(now, who, action, one, detail) for one in what])
    except NotMigrated:
        click.echo("The audit list has no table yet: run `bide migrate`.", err=True)


def note_jobs(store: Store, verb: str, which: Filter, changed: int) -> None:
    """Write that jobs were changed: of few that were named each, else the filter."""
    if which.ids is not None and len(which.ids) <= EACH:
        note(store, f"jobs.{verb}", *map(str, which.ids))
    else:
        note(store, f"jobs.{verb}", worded(which), number=changed)


def worded(which: Filter) -> str:
    """A filter in one line: state=failed queue=mail; all: every job."""
    given = {name: value for name, value in which._asdict().items() if value is not None}
    if which.states is not None:
        given["states"] = ",".join(State(state).name.lower() for state in which.states)
    if which.ids is not None:
        given["ids"] = f"{len(which.ids)} ids"
    return " ".join(f"{name}={value}" for name, value in given.items()) or "all"


def user() -> str:
    """Who runs this command: user@host."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container whose user has no name
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
