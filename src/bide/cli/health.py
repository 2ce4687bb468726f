"""`bide health`: whether all is well, as an exit status."""

from __future__ import annotations

import sys

import click

from bide.cli.loading import load_app
from bide.cli.output import print_json, printable
from bide.workers.health import problems


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    default=0,
    metavar="N",
    help="At least so many workers must be alive.",
)
@click.option(
    "--max-age", type=click.FloatRange(min=0), help="Seconds that a ready job may have waited."
)
@click.option("--json", "as_json", is_flag=True, help="JSON instead of text.")
@click.pass_obj
def health(app_name: str | None, /, *, workers: int, max_age: float | None, as_json: bool) -> None:
    """Fail (status 1) and say why unless jobs can be stored and, where asked, are run."""
    app = load_app(app_name)
    reasons = problems(app.store, app.settings, workers=workers, max_age=max_age)
    if as_json:
        print_json({"healthy": not reasons, "reasons": reasons})
    else:
        click.echo("\n".join(map(printable, reasons)) or "All is well.", err=bool(reasons))
    sys.exit(int(bool(reasons)))
