"""The door to one database: an engine per process, and transactions that retry what may be retried."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine
from sqlalchemy.engine.url import URL

from bide.clock import jitter, monotonic, sleep
from bide.db.connection import Connection
from bide.db.dialects import Dialect
from bide.db.drivers import NORMAL, Driver, kind_of
from bide.db.failures import translate
from bide.db.pipeline import Asked, Pipeline
from bide.db.pool import Pool
from bide.db.turn import short_pause
from bide.db.urls import shown, url_of
from bide.db.watchdog import Watchdog
from bide.errors import (
    ConnectionLost,
    DatabaseBusy,
    DatabaseError,
    SettingsError,
    WorkerTimeout,
)

T = TypeVar("T")
Work = Callable[[Connection], T]

#: Postponed after a deadlock or a serialization failure, in seconds: first, longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.25


class Database:
    """One database, by URL or by the application's SQLAlchemy Engine. Opens nothing until first use.

    `silence`: seconds after which a statement that the server does not answer is cut off.
    `busy_timeout`: seconds for which deadlocks, serialization failures and locks are tried again.
    `table_prefix`: what the names of tables and indexes begin with (queue.md DJ-099, DJ-100).
    `pool_size`: connections kept open per process. `synchronous`: SQLite only, NORMAL or FULL, which
    survives a power failure and not only the death of processes (slower); an Engine that is given has its own.

    A connection never crosses a fork: each process makes its own engine, and an engine that was
    given is emptied in the child without a goodbye on the parent's connections.
    """

    #: Whether threads of ours may look at it beside the application.
    open_to_threads = True

    def __init__(
        self,
        target: str | URL | Engine,
        *,
        table_prefix: str = "bide_",
        silence: float = 15.0,
        busy_timeout: float = 10.0,
        pool_size: int = 5,
        synchronous: str = NORMAL,
    ) -> None:
        self.url = url_of(target)
        self.kind = kind_of(self.url)
        #: Whether its sessions are the application's too, so that they stay as they are.
        self.shared = isinstance(target, Engine)
        self.table_prefix = _checked_prefix(table_prefix)
        self.busy_timeout = busy_timeout
        self._watchdog = Watchdog(silence)
        self._pool = Pool(target, self.kind, pool_size, synchronous=synchronous)

    def __repr__(self) -> str:
        return f"<Database {shown(self.url)}>"

    @property
    def engine(self) -> Engine:
        """This process' SQLAlchemy engine, in ordinary transactions, for what is not hot."""
        return self._pool.ordinary()

    def prepare(self) -> Driver:
        """Make now what a connection needs, for children to share, and connect to nothing.

        Returns how statements are written for it. Raises MissingDependency, SettingsError.
        """
        return self._pool.prepare()

    def rehearse(self, work: Work[Any], within: AbstractContextManager[None]) -> None:
        """Connect, do `work` and hang up again, so that children share what one learns by that.

        Not with an engine that is the application's, nor with a file, whose locks no child may know of.
        `within` limits the time. What fails is not told: it fails again where it is needed.
        """
        if self.shared or self.kind == "sqlite":
            return
        try:
            with within:
                self.read(work)
        except (Exception, WorkerTimeout):  # noqa: BLE001 - the database may come up later
            return
        finally:
            self._watchdog.end()
            self._pool.put_away()

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return self._pool.file

    @property
    def dialect(self) -> Dialect:
        """What the server is and can do; connects at first use. UnsupportedFeature when too old."""
        return self.read(lambda _: self._pool.product())

    def run(
        self,
        work: Work[T],
        *,
        repeat: bool = False,
        patient: bool = False,
        within: float | None = None,
    ) -> T:
        """One transaction: `work(connection)`, then COMMIT; its result.

        Deadlocks, serialization failures and busy files are rolled back and tried again until
        `busy_timeout` is over, so `work` may be called several times. A connection lost before
        COMMIT is replaced and `work` tried once more; lost in COMMIT, only with `repeat`, which says
        that doing it twice is harmless. `patient` work is never cut off for its silence. `within`:
        seconds instead of `busy_timeout`. Raises ConnectionLost, DatabaseBusy, NotMigrated,
        DatabaseError; errors of `work` itself pass, after ROLLBACK.
        """
        wait = self.busy_timeout if within is None else within
        return self._persist(lambda: self._transaction(work, patient, wait), repeat, wait)

    def single(self, work: Work[T], *, repeat: bool = False) -> T:
        """One statement that is a transaction by itself: saves the round trips of BEGIN and COMMIT.

        A lost connection is retried only with `repeat`: whether it took effect is unknown.
        """
        if self.kind == "sqlite":
            return self.run(work, repeat=repeat)
        return self._persist(lambda: self._plain(work), repeat, self.busy_timeout)

    def read(self, work: Work[T]) -> T:
        """Reading statements, each seeing what is committed when it starts; repeated when lost."""
        return self._persist(lambda: self._plain(work), True, self.busy_timeout)

    def send(self, many: Sequence[Asked]) -> Pipeline | None:
        """Statements to be worked on by the server while the caller does something else, each a
        transaction of its own; None where that cannot be had. Raises ConnectionLost.

        Not on the application's engine: what the caller does may need the connection held meanwhile.
        """
        if self.shared or not self._pool.pipelines():
            return None
        return Pipeline(self._watched(), many)

    def detached(self) -> Connection:
        """A connection that no pool knows: the caller's, who closes what is `raw` in it."""
        return self._pool.detached(self.engine)

    def look_after(self, connection: Connection) -> None:
        """Cut off statements of a connection of the caller's too that the server does not answer.

        A fork ends it until the next statement of any kind.
        """
        self._watch(connection, patient=False)

    def turn(self) -> AbstractContextManager[None]:
        """The right to write outside of `run`, where the database has one writer at a time."""
        return self._pool.turn(self.busy_timeout)

    def close(self) -> None:
        """Close this process' connections; the next use opens new ones."""
        self._watchdog.end()
        self._pool.close()

    def _persist(self, once: Callable[[], T], repeat: bool, wait: float) -> T:
        deadline, pause, lost = monotonic() + wait, _FIRST_PAUSE, False
        while True:
            try:
                return once()
            except DatabaseBusy:
                if monotonic() >= deadline:
                    raise
                sleep(jitter(pause, 0.5))
                pause = min(pause * 2, _LONGEST_PAUSE)
            except ConnectionLost as error:
                if lost or not (repeat or error.nothing_changed):
                    raise
                lost = True

    def _transaction(self, work: Work[T], patient: bool, wait: float) -> T:
        with self._pool.writing(wait) as connection:
            self._watch(connection, patient=patient)
            committing = False
            try:
                self._begin(connection, wait)
                result = work(connection)
                committing = True
                connection.command("COMMIT")
            except BaseException as error:
                ours = _failed(connection, error)
                _roll_back(connection)
                if ours is None:
                    raise
                ours.nothing_changed = not committing or isinstance(ours, DatabaseBusy)
                raise ours from error
            return result

    def _plain(self, work: Work[T]) -> T:
        with self._watched() as connection:
            try:
                return work(connection)
            except BaseException as error:
                ours = _failed(connection, error)
                if ours is None:
                    raise
                raise ours from error

    @contextlib.contextmanager
    def _watched(self) -> Iterator[Connection]:
        with self._pool.connection() as connection:
            self._watch(connection, patient=False)
            yield connection

    def _watch(self, connection: Connection, *, patient: bool) -> None:
        connection.patient = patient
        if self.kind != "sqlite":
            self._watchdog.watch(connection)

    def _begin(self, connection: Connection, wait: float) -> None:
        deadline = monotonic() + wait
        while True:
            try:
                for statement in connection.driver.begin:
                    connection.command(statement)
            except Exception as error:
                waiting = isinstance(translate(error, ""), DatabaseBusy)
                if not waiting or monotonic() >= deadline:
                    raise
                short_pause()
            else:
                return


def _failed(connection: Connection, error: BaseException) -> DatabaseError | None:
    """The error of ours for one of the driver's; marks a connection that must not be used again."""
    connection.driver.failed(error)
    ours = translate(error, connection.doing)
    if isinstance(ours, ConnectionLost) or not isinstance(error, Exception):
        connection.broken = True
    return ours


def _roll_back(connection: Connection) -> None:
    if connection.broken:
        return
    try:
        connection.raw.rollback()
    except Exception:  # noqa: BLE001 - the error that made us roll back is the one to tell
        connection.broken = True


def _checked_prefix(prefix: str) -> str:
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,30}", prefix):
        raise SettingsError(
            f"table_prefix {prefix!r} must be lower-case letters, digits and _, e.g. 'bide_'"
        )
    return prefix
