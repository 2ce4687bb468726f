"""`bide migrate`: the tables."""

from __future__ import annotations

import click

from bide.cli.loading import load_app


@click.command()
@click.option("--sql", is_flag=True, help="Print the statements instead of running them.")
@click.option(
    "--to",
    metavar="PRODUCT:STEP",
    help="Bring the tables of one product to a step, up or down: jobs:0003, texts:0001, jobs:base.",
)
@click.option("--yes", is_flag=True, help="Undo steps without asking.")
@click.pass_obj
def migrate(app_name: str | None, *, sql: bool, to: str | None, yes: bool) -> None:
    """Create or upgrade Bide's tables; safe to run from several places at once.

    With --to a step that lies behind, later steps are undone: the tables that they made go, with what
    is in them.
    """
    app = load_app(app_name)
    if sql:
        click.echo(app.migration_sql())
        return
    if to is None:
        app.migrate()
        click.echo(f"The tables in {app.shown_url} are up to date.")
        return
    from bide.plugins.tables import Move

    move = Move.named(app.database, app.i18n, to)
    if move.goes_down and not yes:
        click.confirm(
            f"Steps {', '.join(move.undone)} of {move.product} in {app.shown_url} will be undone; what "
            "is in the tables that they made is lost. Go on?",
            abort=True,
        )
    move.run()
    click.echo(f"The tables of {move.product} in {app.shown_url} are at {move.to}.")
