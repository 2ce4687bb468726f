"""Bide inside Flask: an App that takes its settings from the Flask application's configuration.

>>> jobs = Bide()
>>> @jobs.job
... def send_receipt(order_id): ...
>>> jobs.init_app(flask_app)

`flask bide work`, and every other command of `bide`, knows it then.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, has_app_context
from sqlalchemy.engine import make_url
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from bide.app import App
from bide.db.engine import Database
from bide.errors import SettingsError
from bide.jobs.handle import Job
from bide.workers.settings import Settings


class Bide(App):
    """A `bide.App` that is a Flask extension. `settings` are defaults below those of the configuration.

    Settings are looked for in the configuration as `BIDE_*` (`BIDE_DATABASE_URL`, `BIDE_MAX_ATTEMPTS`),
    then among `settings`, in the environment and in pyproject.toml. Where none of them names a
    database, it is Flask-SQLAlchemy's (`SQLALCHEMY_DATABASE_URI`).
    """

    def __init__(self, app: Flask | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self._defaults = settings
        self._flask: Flask | None = None
        self.lifecycle.around("invoke_job", self._invoke)
        self.lifecycle.around("error", self._around)
        self.lifecycle.around("failure", self._around)
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Take the settings from `app`, and run jobs in its application context.

        Of several Flask applications the last one counts. Raises SettingsError.
        """
        self.configure(_settings(app, self._defaults))
        self._flask = app
        app.extensions["bide"] = self

    @cached_property
    def database(self) -> Database | None:
        """As in `bide.App`. Raises SettingsError before `init_app` where no database was named."""
        if self._flask is None and "database_url" not in self._defaults:
            raise SettingsError(
                "these jobs have no Flask application yet: make it first, which calls init_app, or name a "
                "database, e.g. Bide(database_url='sqlite:///shop.db')"
            )
        return super().database

    def mount_screens(
        self,
        app: Flask,
        path: str = "/bide",
        *,
        viewer: Callable[[], Any] | None = None,
        **options: Any,
    ) -> None:
        """Show the screens below `path`.

        `viewer` is called inside a request of `app`, so that it can ask `flask.session` or
        `current_user`; it returns a `bide.web.Viewer`, or None for nobody. Other options as for
        `bide.web.create_wsgi_app`. Needs `pip install 'bide[web]'`.
        """
        from bide.web import create_wsgi_app

        if not path.startswith("/") or path == "/":
            raise SettingsError(f"path={path!r} must be below the root, e.g. path='/bide'")
        if viewer is not None:
            options["auth"] = _asked_in(app, viewer)
        screens = create_wsgi_app(self, **options)
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {path.rstrip("/"): screens})  # type: ignore[method-assign]

    def _invoke(self, job: Job, proceed: Callable[[Job], Any]) -> Any:
        """In the application's context; a job that runs inline stays in its caller's."""
        if self._flask is None or has_app_context():
            return proceed(job)
        with self._flask.app_context():
            return proceed(job)

    def _around(self, worker: Any, job: Job, proceed: Callable[[Any, Job], Any]) -> Any:
        return self._invoke(job, lambda job: proceed(worker, job))


def _settings(app: Flask, defaults: dict[str, Any]) -> Settings:
    names = {f"BIDE_{one.name.upper()}": one.name for one in fields(Settings)}
    others = ("BIDE_APP", "BIDE_WEB_")  # they are for commands
    unknown = [
        key
        for key in app.config
        if key.startswith("BIDE_") and key not in names and not key.startswith(others)
    ]
    if unknown:
        known = ", ".join(names)
        raise SettingsError(
            *(f"{key} in the configuration is no setting; they are {known}" for key in unknown)
        )
    given = {name: app.config[key] for key, name in names.items() if key in app.config}
    settings = Settings.load({**defaults, **given}, environment=True)
    if settings.database_url == Settings.load({}).database_url and "database_url" not in given:
        return settings.changed(database_url=_of_flask_sqlalchemy(app, settings.database_url))
    return settings


def _of_flask_sqlalchemy(app: Flask, otherwise: str) -> str:
    """Flask-SQLAlchemy's database; it looks for SQLite files in the instance's folder."""
    given = app.config.get("SQLALCHEMY_DATABASE_URI")
    if given is None:
        return otherwise
    url = make_url(given)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(app.instance_path).mkdir(parents=True, exist_ok=True)
        url = url.set(database=os.path.join(app.instance_path, url.database))  # noqa: PTH118 - keeps absolute ones
    return url.render_as_string(hide_password=False)


def _asked_in(app: Flask, viewer: Callable[[], Any]) -> Callable[[Any], Any]:
    def auth(request: Any) -> Any:
        with app.request_context(request.scope["wsgi_environ"]):
            return viewer()

    return auth
