"""`flask bide …`: every command of `bide`, for the application that Flask has found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from flask.cli import ScriptInfo

from bide.cli.main import Commands

if TYPE_CHECKING:
    from bide.app import App

#: What `--app` begins with to mean a Flask application: `bide --app flask:shop work`.
SCHEME = "flask"

_found: list[ScriptInfo] = []


@click.command("bide", cls=Commands)
@click.pass_context
def flask_bide(ctx: click.Context) -> None:
    """Background jobs and translations that live in your database."""
    info = ctx.ensure_object(ScriptInfo)
    _found[:] = [info]
    ctx.obj = f"{SCHEME}:{info.app_import_path or ''}"


def app_of_flask(import_path: str) -> App:
    """The extension of a Flask application, which is found as by `flask --app`.

    Raises click.UsageError when it has none.
    """
    info = _found[0] if _found else ScriptInfo(app_import_path=import_path or None)
    app: Any = info.load_app()
    found: App | None = app.extensions.get("bide")
    if found is None:
        raise click.UsageError(
            f"the Flask application {app.name!r} does not use Bide; call Bide().init_app(app), "
            "see bide.contrib.flask"
        )
    return found
