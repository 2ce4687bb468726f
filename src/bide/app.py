"""The composition root: the one place that builds the object graph, and the object that users hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, Unpack

from bide import log  # noqa: F401 - words the events of this process as log lines
from bide.db.engine import Database
from bide.db.urls import shown
from bide.errors import JobNotFound, SettingsError
from bide.jobs.bulk import Bulk
from bide.jobs.declaring import Declarer
from bide.jobs.delayed import Delay
from bide.jobs.encoding import Encoder
from bide.jobs.enqueue import DelayJobs, Enqueuer, Options, as_call
from bide.jobs.handle import Home, Job
from bide.jobs.job import JobRow
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.options import CallOptions
from bide.jobs.payload import Payloads
from bide.jobs.perform import Performer
from bide.jobs.plugin import Plugins
from bide.jobs.records import DjangoRecords, Records, SQLAlchemyRecords, plain_session
from bide.jobs.registry import Registry
from bide.jobs.store import Store, Wanted
from bide.jobs.stores.choose import open_store
from bide.plugins.clear_locks import ClearLocks
from bide.workers.pools import queue_names
from bide.workers.roster import Crew, Lanes
from bide.workers.settings import Settings
from bide.workers.slate import Entry
from bide.workers.worker import Worker

if TYPE_CHECKING:
    from bide.i18n.translator import I18n
    from bide.workers.background import Background
    from bide.workers.supervisor import Supervisor

#: What is made from the settings at its first use.
_MADE = ("database", "store", "_home", "_encoder", "_performer", "_enqueuer")


class App(Declarer):
    """An application's jobs (and, with `use`, texts) in one database. Making one opens nothing.

    `database` is a URL (sqlite:///..., postgresql://..., mysql://..., memory://) or a SQLAlchemy Engine;
    the keywords are the settings (see bide.workers.settings). Raises SettingsError.
    """

    def __init__(self, database: Any = None, **settings: Any) -> None:
        if isinstance(database, str):
            settings["database_url"] = database
        self._database_given = database
        self.settings = Settings.load(settings)
        self._build()

    @classmethod
    def from_env(cls, **settings: Any) -> App:
        """An App from BIDE_* variables and [tool.bide]; `settings` given here come first."""
        loaded = Settings.load(settings, environment=True)
        return cls._from(loaded)

    @classmethod
    def _from(cls, settings: Settings) -> App:
        app = cls.__new__(cls)
        app.settings, app._database_given = settings, None
        app._build()
        return app

    def _build(self) -> None:
        self.lifecycle = Lifecycle()
        #: The texts given to `use`.
        self.i18n: I18n | None = None
        self.plugins = Plugins(self.lifecycle, [ClearLocks])
        #: Makes the SQLAlchemy sessions in which records of jobs are loaded, e.g. a sessionmaker;
        #: None: sessions on the database of the jobs.
        self.sessions: Callable[[], Any] | None = None
        self.registry = Registry(self.settings.job_modules)
        self.registry.register_class(Bulk, name=Bulk.NAME)
        self.records = Records([SQLAlchemyRecords(self._session), DjangoRecords()])
        _newest.append(self)
        del _newest[:-1]

    def configure(self, settings: Settings) -> None:
        """Use other settings from now on: for frameworks whose configuration is known late.

        What was declared stays; connections of this process are given up, and texts in the database
        are read anew.
        """
        if "store" in vars(self):
            self.close()
        for name in _MADE:
            vars(self).pop(name, None)
        self.settings, self._database_given = settings, None
        self.registry.modules = [*settings.job_modules]
        if self.i18n is not None:
            from bide.i18n.backends.database import databases

            for texts in databases(self.i18n.backend):  # those of files stay as they are
                texts.reload()

    @cached_property
    def database(self) -> Database | None:
        """The database floor's engine; None for the memory store."""
        given = self._database_given or self.settings.database_url
        if isinstance(given, str) and given.startswith("memory:"):
            return None
        return Database(
            given,
            table_prefix=self.settings.table_prefix,
            silence=self.settings.statement_timeout,
            synchronous=self.settings.sqlite_synchronous,
        )

    @cached_property
    def store(self) -> Store:
        """Where this App's jobs are kept."""
        return open_store(self.database, listen_url=self.settings.listen_url or None)

    @cached_property
    def _encoder(self) -> Encoder:
        payloads = Payloads(self.registry, self.records, max_size=self.settings.max_payload_size)
        return Encoder(payloads, self.registry)

    @cached_property
    def _performer(self) -> Performer:
        return Performer(self.lifecycle, retry_on_hook_error=self.settings.retry_on_hook_error)

    @cached_property
    def _home(self) -> Home:
        encoder = self._encoder
        return Home(
            self.store, encoder.decode, encoder.write_result, encoder.read_result, encoder.live
        )

    @cached_property
    def _enqueuer(self) -> Enqueuer:
        enqueuer = Enqueuer(
            self._home, self.lifecycle, self.settings, self._performer, self._encoder.encode
        )
        enqueuer.delay_jobs = self.settings.delay_jobs
        return enqueuer

    def _session(self) -> Any:
        """A session for the records of a job: the application's own kind, or a plain one here."""
        if self.sessions is not None:
            return self.sessions()
        if self.database is None:
            raise SettingsError(
                "a job wants a SQLAlchemy record, and no session can be made for it in memory; "
                "set app.sessions, e.g. to a sessionmaker"
            )
        return plain_session(self.database.engine)

    # Enqueueing

    @property
    def delay_jobs(self) -> DelayJobs:
        """True: store jobs; False: run them at once; a callable is asked for each job."""
        return self._enqueuer.delay_jobs

    @delay_jobs.setter
    def delay_jobs(self, value: DelayJobs) -> None:
        self._enqueuer.delay_jobs = value

    def enqueue(self, target: Any = None, /, **options: Unpack[CallOptions]) -> Job:
        """Store a job object (anything declared, with perform) or a bound call; options as for `using`.

        Raises NotAJob, EnqueueError and what the enqueue hook raises; then nothing is stored.
        """
        return self._enqueuer.enqueue(as_call(target, options))

    async def aenqueue(self, target: Any = None, /, **options: Unpack[CallOptions]) -> Job:
        """The same without blocking the event loop."""
        return await self._enqueuer.aenqueue(as_call(target, options))

    def enqueue_many(self, targets: Iterable[Any], *, session: Any = None) -> list[Job]:
        """Store many bound calls or job objects, one statement per batch."""
        return self._enqueuer.enqueue_many((as_call(target, {}) for target in targets), session)

    async def aenqueue_many(self, targets: Iterable[Any], *, session: Any = None) -> list[Job]:
        """The same without blocking the event loop."""
        calls = (as_call(target, {}) for target in targets)
        return await self._enqueuer.aenqueue_many(calls, session)

    def delay(self, receiver: Any, /, **options: Unpack[CallOptions]) -> Any:
        """`app.delay(order).invoice(gross=True)` stores a job that calls the method later."""
        return Delay(self.enqueue, receiver, Options.of(options))

    def adelay(self, receiver: Any, /, **options: Unpack[CallOptions]) -> Any:
        """`await app.adelay(order).invoice(gross=True)`: the same without blocking the event loop."""
        return Delay(self.aenqueue, receiver, Options.of(options))

    # Texts

    def use(self, i18n: I18n) -> None:
        """Give jobs the texts of `i18n`: each speaks the language of whoever enqueued it, and
        bide.i18n's t, l and with_locale speak to it. Opens nothing."""
        from bide.i18n.default import set_default  # who uses no texts does not load their libraries
        from bide.plugins.locale import Locale

        if self.i18n is None:
            self.plugins.append(Locale(lambda: self.i18n or i18n))
        self.i18n = i18n
        set_default(i18n)

    # Looking and working

    def migrate(self) -> None:
        """Create or upgrade the tables; several processes may do so at once."""
        if self.database is not None:
            from bide.plugins.tables import migrate_all  # the tools cost time to import

            migrate_all(self.database, self.i18n)

    def migration_sql(self) -> str:
        """The statements that `migrate` would run on an empty database; empty for memory."""
        if self.database is None:
            return ""
        from bide.plugins.tables import sql_of_all

        return sql_of_all(self.database, self.i18n)

    def find(self, job_id: int) -> Job:
        """The stored job with that id; raises JobNotFound."""
        row = self.store.get(job_id)
        if row is None:
            raise JobNotFound(f"no job has the id {job_id}; it may have succeeded and been deleted")
        return self.held(row)

    def held(self, row: JobRow) -> Job:
        """A row of the store as a Job."""
        return Job(self._home, row)

    def worker(
        self,
        *,
        queues: Iterable[str] | None = None,
        except_queues: Iterable[str] = (),
        min_priority: int | None = None,
        max_priority: int | None = None,
        sleep_delay: float | None = None,
        exit_on_complete: bool = False,
        name: str | None = None,
    ) -> Worker:
        """A worker of this process for the given queues (none: all) and priorities (inclusive)."""
        wanted = Wanted(
            queue_names(queues), queue_names(except_queues) or (), min_priority, max_priority
        )
        changed: dict[str, Any] = {}
        if sleep_delay is not None:
            changed["sleep_delay"] = float(sleep_delay)
        return self.worker_for(wanted, name=name, exit_on_complete=exit_on_complete, **changed)

    def worker_for(
        self,
        wanted: Wanted,
        *,
        name: str | None = None,
        exit_on_complete: bool = False,
        concurrency: int = 1,
        entries: Sequence[Entry] = (),
        **settings: Any,
    ) -> Worker:
        """A worker with some settings of its own; with `concurrency` many jobs at a time.

        Raises SettingsError.
        """
        options: dict[str, Any] = {"name": name, "exit_on_complete": exit_on_complete}
        common = (self._home, self.lifecycle, self.settings.changed(**settings), wanted)
        if Lanes(concurrency=concurrency).concurrency == 1:
            return Worker(*common, entry=entries[0] if entries else None, **options)
        from bide.workers.concurrent import ConcurrentWorker

        return ConcurrentWorker(*common, concurrency=concurrency, entries=entries, **options)

    def supervisor(
        self,
        crews: Iterable[Crew],
        *,
        threads: int = 1,
        concurrency: int = 1,
        exit_on_complete: bool = False,
        **settings: Any,
    ) -> Supervisor:
        """A supervisor that keeps forked workers at work for this App. Raises SettingsError."""
        from bide.workers.supervisor import Supervisor  # a process that stores jobs has none

        if concurrency > 1:  # forked workers share what is loaded now
            import_module("bide.workers.concurrent")
        elif self.registry.has_coroutines():
            import_module("bide.workers.event_loop")

        def make(wanted: Wanted, entries: Sequence[Entry], name: str | None) -> Worker:
            return self.worker_for(
                wanted,
                name=name,
                exit_on_complete=exit_on_complete,
                concurrency=concurrency,
                entries=entries,
                **settings,
            )

        return Supervisor(
            lambda: self._home,
            self.lifecycle,
            self.settings.changed(**settings),
            crews,
            make,
            lanes=Lanes(threads, concurrency),
            exit_on_complete=exit_on_complete,
        )

    @property
    def shown_url(self) -> str:
        """Where this App's jobs are kept, for logs and messages: without the password."""
        return shown(self._database_given or self.settings.database_url)

    def run_in_background(
        self, *, queues: Iterable[str] | None = None, threads: int = 1, in_children: bool = False
    ) -> Background:
        """Work in threads of this process, for small sites; returns what can be stopped.

        Call it where the server's process starts (a lifespan, post_fork). With `in_children` it may
        also be called before a preloading server forks. Raises SettingsError.
        """
        from bide.workers.background import Background

        wanted = Wanted(queue_names(queues))

        def make(name: str) -> Worker:
            return self.worker_for(wanted, name=name)

        grace_time = self.settings.grace_time
        return Background(make, threads, in_children=in_children, grace_time=grace_time).start()

    def close(self) -> None:
        """Give up this process' connections; the App can still be used and opens new ones. Texts in
        its database are watched no more until one is looked up."""
        database = self._opened
        if database is None:  # it was not asked for yet, or the jobs are in memory
            return
        if self.i18n is not None:
            from bide.i18n.watch import unwatch_all

            unwatch_all(database)
        self.store.close()

    @property
    def _opened(self) -> Database | None:
        """The database floor's engine, if it was asked for."""
        return vars(self).get("database")

    def __repr__(self) -> str:
        return f"<bide.App {self.shown_url}>"


_newest: list[App] = []


def current_app() -> App:
    """The App made last in this process; raises SettingsError when there is none."""
    if not _newest:
        raise SettingsError("no bide.App was made yet; make one before you delay anything")
    return _newest[-1]


def delay(receiver: Any, /, **options: Unpack[CallOptions]) -> Any:
    """`bide.delay(order, priority=3).invoice(gross=True)`, on the App made last."""
    return current_app().delay(receiver, **options)


def adelay(receiver: Any, /, **options: Unpack[CallOptions]) -> Any:
    """`await bide.adelay(order).invoice(gross=True)`: the same without blocking the event loop."""
    return current_app().adelay(receiver, **options)
