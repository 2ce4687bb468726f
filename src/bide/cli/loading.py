"""Finding the application that a command is for: --app, BIDE_APP, or [tool.bide] app."""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from bide.app import App
    from bide.i18n.backends.database import Database
    from bide.i18n.translator import I18n

EXAMPLE = "e.g. --app shop.tasks:app"


def load_app(named: str | None) -> App:
    """The App called `named` («module:attribute», or «flask:» and what `flask --app` takes); without
    a name one from BIDE_* settings. Its connections are closed when the command ends.

    Raises click.UsageError saying what is wrong and what to write.
    """
    app = _found(named)
    context = click.get_current_context(silent=True)
    if context is not None:  # servers count connections that end without a goodbye
        context.call_on_close(app.close)
    return app


def _found(named: str | None) -> App:
    from bide.app import App

    named = named or _from_pyproject()
    if named is None:
        return App.from_env()
    module_name, _, attribute = named.partition(":")
    if not module_name:
        raise click.UsageError(f"{named!r} names no module; {EXAMPLE}")
    if module_name == "flask":
        from bide.cli.flask import app_of_flask

        return app_of_flask(attribute)
    module = _imported(module_name)
    app = _attribute(module, attribute or "app", named)
    if not isinstance(app, App):
        raise click.UsageError(f"{named!r} is {type(app).__name__}, not a bide.App; {EXAMPLE}")
    return app


def load_texts(named: str | None) -> I18n:
    """The texts that the App called `named` uses. Raises click.UsageError when it uses none."""
    app = load_app(named)
    if app.i18n is None:
        raise click.UsageError(
            f"{named or 'the application'} uses no texts; its module must call app.use(i18n), and --app name it; "
            f"{EXAMPLE}"
        )
    return app.i18n


def table_of(i18n: I18n) -> Database:
    """The first Database among the backends. Raises click.UsageError when there is none."""
    from bide.i18n.backends.database import databases

    found = databases(i18n.backend)
    if not found:
        raise click.UsageError(
            "the texts are in no database; use e.g. I18n(Chain(Database(app), Simple(...)))"
        )
    return found[0]


def _from_pyproject() -> str | None:
    from bide.workers.settings import from_pyproject

    table = from_pyproject()
    return str(table["app"]) if "app" in table else None


def _imported(name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)[1:]
        theirs = [frame for frame in frames if not frame.filename.startswith("<frozen")]
        where = "".join(traceback.format_list(theirs[-2:]))
        raise click.UsageError(
            f"{name!r} could not be imported from {here}: {type(error).__name__}: {error}\n{where}"
        ) from error


def _attribute(module: Any, attribute: str, named: str) -> Any:
    found = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise click.UsageError(f"{named!r}: {module.__name__} has no {attribute!r}; {EXAMPLE}")
        found = getattr(found, part)
    return found
