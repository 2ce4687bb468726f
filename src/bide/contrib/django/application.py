"""The App of a Django project: in the database of an alias, made from settings.BIDE."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from bide.app import App
from bide.contrib.django.gettext import install
from bide.contrib.django.mail_jobs import NAME as MAIL
from bide.contrib.django.mail_jobs import SendMail
from bide.contrib.django.running import Running
from bide.contrib.django.settings import ProjectSettings
from bide.contrib.django.testing_mode import in_tests
from bide.db.alias import AliasDatabase, place_of, url_of_alias
from bide.db.engine import Database
from bide.db.urls import shown
from bide.errors import SettingsError
from bide.jobs.enqueue import Call, as_call
from bide.jobs.handle import Job
from bide.jobs.store import Wanted
from bide.workers.worker import Worker


class _Built:
    """What an App builds once for its database, built anew when the alias means another one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._make = vars(App)[name].func

    def __get__(self, app: Any, owner: type) -> Any:
        if app is None:
            return self
        built = app.built_for_place()
        if self._name not in built:
            built[self._name] = self._make(app)
        return built[self._name]


class DjangoApp(App):
    """An App whose database is the one that Django knows by an alias.

    Jobs are written on Django's connection where the caller enqueues without a session; workers use
    connections of their own. In tests everything happens on Django's connection.
    """

    store: Any = _Built("store")
    _home: Any = _Built("_home")
    _enqueuer: Any = _Built("_enqueuer")

    def __init__(self, alias: str = "default", **settings: Any) -> None:
        self.alias = alias
        self._place: tuple[object, ...] = ()
        self._built: dict[str, Any] = {}
        self._building = threading.RLock()
        with suppress(SettingsError):  # said by the system checks
            settings["database_url"] = url_of_alias(alias).render_as_string(hide_password=False)
        super().__init__(None, **settings)

    @property
    def database(self) -> Database | None:
        """The database floor's engine for the alias, as it is at the moment."""
        built = self.built_for_place()
        if "database" not in built:
            prefix = self.settings.table_prefix
            if in_tests():
                built["database"] = AliasDatabase(self.alias, table_prefix=prefix)
            else:
                built["database"] = Database(
                    url_of_alias(self.alias),
                    table_prefix=prefix,
                    silence=self.settings.statement_timeout,
                    synchronous=self.settings.sqlite_synchronous,
                )
        found: Database = built["database"]
        return found

    @property
    def _opened(self) -> Database | None:
        return self._built.get("database")

    def built_for_place(self) -> dict[str, Any]:
        """What was built for the database that the alias means now."""
        place = (*place_of(self.alias), in_tests())
        if place != self._place:
            with self._building:
                if place != self._place:
                    self._built, self._place = {}, place
        return self._built

    def enqueue(self, target: Any = None, /, **options: Any) -> Job:
        """As App.enqueue; without a session, in the transaction that is open on the alias."""
        return super().enqueue(self._on_alias(as_call(target, options)))

    async def aenqueue(self, target: Any = None, /, **options: Any) -> Job:
        """The same without blocking the event loop."""
        return await super().aenqueue(self._on_alias(as_call(target, options)))

    def enqueue_many(self, targets: Iterable[Any], *, session: Any = None) -> list[Job]:
        """As App.enqueue_many; without a session, in the transaction that is open on the alias."""
        return super().enqueue_many(targets, session=session or self.alias)

    async def aenqueue_many(self, targets: Iterable[Any], *, session: Any = None) -> list[Job]:
        """The same without blocking the event loop."""
        return await super().aenqueue_many(targets, session=session or self.alias)

    def worker_for(self, wanted: Wanted, **options: Any) -> Worker:
        """As App.worker_for; in tests one that needs no other connection than Django's."""
        if not in_tests() or options.get("concurrency", 1) != 1:
            return super().worker_for(wanted, **options)
        names = {"name", "exit_on_complete"}
        own = {name: value for name, value in options.items() if name in names}
        changed = {k: v for k, v in options.items() if k not in names | {"concurrency", "entries"}}
        settings = self.settings.changed(**changed)
        return WorkerInTests(self._home, self.lifecycle, settings, wanted, **own)

    def _on_alias(self, call: Call) -> Call:
        if call.options.session is not None:
            return call
        return call._replace(options=call.options._replace(session=self.alias))

    @property
    def shown_url(self) -> str:
        """Where the jobs are, without the password."""
        return shown(url_of_alias(self.alias))


class WorkerInTests(Worker):
    """Works in the thread and on the connection of a test, with no keeper beside it.

    Another connection would not see a worker that is registered in a transaction of the test.
    """

    def _while_registered(self, work: Callable[[], Any], *, migrated: bool) -> None:
        self._enter(migrated=migrated)
        try:
            work()
        finally:
            self._leave()


def session_of(app: App) -> str | None:
    """The alias on whose connection jobs are written; None where the App's database is no alias."""
    return getattr(app, "alias", None)


_lock = threading.Lock()
_project: list[App] = []


def project_app() -> Any:
    """The project's App, made at the first call. Raises SettingsError."""
    with _lock:
        if not _project:
            _project.append(_made(ProjectSettings.load()))
    return _project[0]


def forget_project_app() -> None:
    """Let the next use make it anew; for tests that change settings.BIDE."""
    _project.clear()


def _made(settings: ProjectSettings) -> App:
    if settings.app is not None:
        app = _imported(settings.app)
        if not isinstance(app, App):
            raise SettingsError(f"settings.BIDE['APP'] names {app!r}, which is no bide.App")
    else:
        options = {"job_modules": tuple(task_modules()), **(settings.of_app or {})}
        if settings.database_url is not None:
            app = App(settings.database_url, **options)
        else:
            app = DjangoApp(settings.database, **options)
    app.plugins.append(Running())
    app.registry.register_class(SendMail, name=MAIL)
    if has_tasks():
        from bide.contrib.django.call import NAME, TaskCall

        app.registry.register_class(TaskCall, name=NAME)
    return app


def has_tasks() -> bool:
    """Whether Django has tasks here, or its backport is installed."""
    return find_spec("django.tasks") is not None or find_spec("django_tasks") is not None


def use_texts(app: App) -> None:
    """Give the App the texts that settings.BIDE names."""
    settings = ProjectSettings.load()
    if settings.i18n is not None and app.i18n is None:
        found = _imported(settings.i18n)
        app.use(found() if callable(found) and not hasattr(found, "t") else found)
    if settings.gettext:
        if app.i18n is None:
            raise SettingsError("settings.BIDE['GETTEXT'] needs texts: name them in BIDE['I18N']")
        install(app.i18n)


def task_modules() -> Iterator[str]:
    """Every module called `tasks` or `jobs` of the installed applications."""
    from django.conf import settings

    for entry in settings.INSTALLED_APPS:
        package = _package(entry)
        for name in ("tasks", "jobs"):
            if find_spec(package) is not None and find_spec(f"{package}.{name}") is not None:
                yield f"{package}.{name}"


def _package(entry: str) -> str:
    from django.apps import AppConfig

    return AppConfig.create(entry).name if "." in entry and _is_config(entry) else entry


def _is_config(entry: str) -> bool:
    return entry.rpartition(".")[2][:1].isupper()


def _imported(path: str) -> Any:
    from django.utils.module_loading import import_string

    try:
        return import_string(path)
    except ImportError as error:
        raise SettingsError(f"settings.BIDE names {path!r}: {error}") from error
