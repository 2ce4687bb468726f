"""Reloaders of web servers for development: one process watches the files, the other one serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def only_watches(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Whether this process will serve nothing: it loaded the application to watch its files.

    Known of `flask run` and Django's `runserver`. A program that calls Flask's `app.run` itself has to
    look at WERKZEUG_RUN_MAIN; uvicorn and gunicorn load nothing in the process that watches.
    """
    return _flask(arguments, environment) or _django(arguments, environment)


def _flask(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    if environment.get("FLASK_RUN_FROM_CLI") != "true" or "--no-reload" in arguments:
        return False
    debug = environment.get("FLASK_DEBUG", "").lower() not in ("", "0", "false", "no")
    reloads = debug or "--debug" in arguments or "--reload" in arguments
    return reloads and environment.get("WERKZEUG_RUN_MAIN") != "true"


def _django(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    serves = "runserver" in arguments[1:] and "--noreload" not in arguments
    return serves and environment.get("RUN_MAIN") != "true"
