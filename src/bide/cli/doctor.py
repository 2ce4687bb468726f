"""`bide doctor`: what would go wrong at a fork, in the settings and in the database, before it does."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from bide.cli.loading import load_app
from bide.cli.output import print_json, print_table
from bide.errors import BideError, SettingsError
from bide.forks import doctor as forks
from bide.forks import trace_connections
from bide.forks.audit import Connection, audit
from bide.forks.findings import ERROR, Finding, worst_first

if TYPE_CHECKING:
    from bide.app import App
    from bide.db.migrate import Line

#: Database connections that one job at a time needs: its claims, its ears, its own work.
EACH = 3


@click.command()
@click.option("-n", "--number", type=click.IntRange(min=1), default=2, show_default=True,
              help="How many worker processes are planned.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
@click.pass_obj
def doctor(app_name: str | None, /, *, number: int, as_json: bool) -> None:
    """Look for what would go wrong: connections open at a fork, settings, the database.

    Loads the application as a worker would, starts nothing and changes nothing. Status 1 where
    something is wrong (an error; warnings do not count).
    """
    trace_connections()
    app, problems = _loaded(app_name)
    open_now = _open_at_a_fork()
    findings = worst_first([
        *problems,
        *forks.examine(open_now, each_needs=EACH),
        *(_about(app, number) if app else ()),
    ])  # fmt: skip
    if as_json:
        print_json(_document(open_now, findings))
    else:
        _print(open_now, findings)
    sys.exit(any(each.level == ERROR for each in findings))


def _loaded(app_name: str | None) -> tuple[App | None, list[Finding]]:
    """The application, or what its settings lack."""
    from bide.workers.checkup import unusable

    try:
        return load_app(app_name), []
    except SettingsError as error:
        return None, unusable(error.problems)
    except click.UsageError as error:
        if isinstance(error.__cause__, SettingsError):
            return None, unusable(error.__cause__.problems)
        raise


def _open_at_a_fork() -> list[Connection]:
    """What the import of the application left open, less what Bide closes before each fork."""
    from bide.db.health.examine import let_go

    let_go()
    return audit()


def _about(app: App, processes: int) -> Iterable[Finding]:
    from bide.db.health.examine import examine as examine_database
    from bide.db.health.plan import Plan
    from bide.jobs.migrations import JOBS
    from bide.workers.checkup import examine as examine_settings

    yield from examine_settings(app.settings, processes=processes)
    try:
        database = app.database
    except BideError as error:
        yield Finding(ERROR, "database", str(error), "correct the database URL")
        return
    if database is not None:
        plan = Plan(processes, connections_each=EACH)
        yield from examine_database(database, [JOBS], _lines_of_texts(), plan)
        database.close()


def _lines_of_texts() -> list[Line]:
    if importlib.util.find_spec("bide.i18n.migrations") is None:
        return []
    line: Line = importlib.import_module("bide.i18n.migrations").TEXTS
    return [line]


def _document(open_now: list[Connection], findings: list[Finding]) -> dict[str, object]:
    return {
        "ok": all(each.level != ERROR for each in findings),
        "connections": [each.as_dict() for each in open_now],
        "findings": [each.as_dict() for each in findings],
    }


def _print(open_now: list[Connection], findings: list[Finding]) -> None:
    print_table(
        ("fd", "kind", "library", "connected to", "opened at", "in a child"),
        [
            (each.fd, each.kind, each.library or each.service, each.peer, each.opened_at, each.fate)
            for each in open_now
        ],
        nothing="No connection is open before a fork.",
    )
    click.echo()
    print_table(
        ("", "about", "found", "what to do"),
        [(each.level, each.subject, each.text, each.advice) for each in findings],
        nothing="Nothing was looked at.",
    )
