"""`bide metrics`: what Prometheus is told, printed or written to a file for the node exporter."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from bide import clock
from bide.cli.loading import load_app


@click.command()
@click.option(
    "--textfile",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="PATH",
    help="Write to this file (*.prom in the node exporter's directory), whole or not at all.",
)
@click.pass_obj
def metrics(app_name: str | None, /, *, textfile: Path | None) -> None:
    """Print the metrics of all queues and workers in Prometheus' text format.

    Status 1 when the database does not answer; bide_up is 0 then.
    """
    from bide.workers.metrics import Metrics, exposition  # they load a database's library

    app = load_app(app_name)
    found = Metrics(app.store, app.settings, app.database)
    text = exposition(found.families(clock.utc_now()))
    if textfile is None:
        click.echo(text, nl=False)
    else:
        _write(textfile, text)
    if found.trouble is not None:
        raise found.trouble


def _write(path: Path, text: str) -> None:
    """Never a half file under the name, and readable by the exporter's user."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            file.write(text)
        Path(file.name).chmod(0o644)
        os.replace(file.name, path)  # noqa: PTH105 - both names are given
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
