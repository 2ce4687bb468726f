"""`bide queues` and `bide workers`: what waits where, and who works."""

from __future__ import annotations

from typing import Any

import click

from bide import clock
from bide.cli.audit import note
from bide.cli.loading import load_app
from bide.cli.output import print_json, print_table
from bide.jobs.job import QueueRow, State

SHOWN = (State.READY, State.RUNNING, State.SCHEDULED, State.FAILED)


@click.group(invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_context
def queues(ctx: click.Context, *, as_json: bool) -> None:
    """List queues; pause and resume them."""
    if ctx.invoked_subcommand is None:
        _list(load_app(ctx.obj).store.queues(), as_json=as_json)


@queues.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def pause(app_name: str | None, /, *, names: tuple[str, ...]) -> None:
    """No job of these queues is started from now on."""
    store = load_app(app_name).store
    for name in names:
        done = store.pause(name, clock.utc_now())
        if done:
            note(store, "queues.pause", name)
        click.echo(f"{name}: {'paused' if done else 'was paused already'}")


@queues.command()
@click.argument("names", nargs=-1, required=True)
@click.pass_obj
def resume(app_name: str | None, /, *, names: tuple[str, ...]) -> None:
    """Jobs of these queues are started again."""
    store = load_app(app_name).store
    for name in names:
        done = store.resume(name)
        if done:
            note(store, "queues.resume", name)
        click.echo(f"{name}: {'resumed' if done else 'was not paused'}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.pass_obj
def workers(app_name: str | None, /, *, as_json: bool) -> None:
    """List the workers that are registered, and what each runs."""
    rows = load_app(app_name).store.workers()
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    now = clock.utc_now()
    print_table(
        ("id", "name", "host", "pid", "queues", "running", "heartbeat"),
        [
            (row.id, row.name, row.host, row.pid, ",".join(row.info.get("queues") or []) or "*",
             _running(row.info), f"{(now - row.heartbeat_at).total_seconds():.0f} s ago")
            for row in rows
        ],
        nothing="No workers.",
    )  # fmt: skip


def _running(info: dict[str, Any]) -> str:
    return ", ".join(
        f"{one.get('name', 'job')} {one.get('id')}" for one in info.get("running") or []
    )


def _list(rows: list[QueueRow], *, as_json: bool) -> None:
    if as_json:
        print_json([_described(row) for row in rows])
        return
    now = clock.utc_now()
    print_table(
        ("queue", *(state.name.lower() for state in SHOWN), "oldest ready", "paused"),
        [
            (row.name, *(row.counts.get(state, 0) for state in SHOWN),
             f"{(now - row.oldest_ready).total_seconds():.0f} s" if row.oldest_ready else "",
             "paused" if row.paused_at else "")
            for row in rows
        ],
        nothing="No queues.",
    )  # fmt: skip


def _described(row: QueueRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "paused_at": row.paused_at,
        "counts": {state.name.lower(): number for state, number in row.counts.items()},
        "oldest_ready": row.oldest_ready,
    }
