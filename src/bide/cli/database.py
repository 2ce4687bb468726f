"""`bide migrate`: the tables."""

from __future__ import annotations

import click

from bide.cli.loading import load_app


@click.command()
@click.option("--sql", is_flag=True, help="Print the statements instead of running them.")
@click.pass_obj
def migrate(app_name: str | None, *, sql: bool) -> None:
    """Create or upgrade Bide's tables; safe to run from several places at once."""
    app = load_app(app_name)
    if sql:
        click.echo(app.migration_sql())
        return
    app.migrate()
    click.echo(f"The tables in {app.shown_url} are up to date.")
