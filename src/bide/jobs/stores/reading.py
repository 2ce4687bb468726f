"""Looking at jobs in any SQL database: what no statement of a store's own needs to do faster."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, true

from bide.db.connection import Compiled
from bide.db.dialects import moment_from, moment_in
from bide.db.drivers import Driver
from bide.db.engine import Database
from bide.db.statements import Statements
from bide.jobs.job import AttemptRow, Filter, JobRow, QueueRow, State, WorkerRow
from bide.jobs.store import Lease, Wanted, WorkerRef
from bide.jobs.stores.audit import SqlAudit
from bide.jobs.stores.rows import attempt_from, job_from, jobs_from, worker_from
from bide.jobs.stores.statistics import SqlStatistics
from bide.jobs.stores.surveys import SqlSurveys
from bide.jobs.tables import tables

#: Function that finds one text in another, without wildcards.
_POSITION: Final = {"postgresql": "strpos", "mysql": "instr", "sqlite": "instr"}


class SqlReading:
    """The group Reading, and `workers`, of every store in a SQL database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.tables = tables(database.table_prefix)
        self.statements = Statements("bide.jobs.sql", database.kind, database.table_prefix)
        self.statistics, self.audit = SqlStatistics(database), SqlAudit(database)
        self.surveys = SqlSurveys(database, self.meant)
        self._columns = [self.tables.jobs.c[name] for name in JobRow._fields]
        #: Idle processes ask these again and again; to compile one takes longer than to run it.
        self._earliest = lru_cache(maxsize=64)(self._compile_earliest)
        self._everybody = lru_cache(maxsize=4)(self._compile_everybody)

    def prepare(self, wanted: Iterable[Wanted]) -> None:
        """Load now what workers for these jobs need first, for forked ones to share; connects to
        nothing. Raises MissingDependency, SettingsError.
        """
        driver = self.database.prepare()
        self.statements.load(driver.style)
        for one in wanted:
            self._earliest(driver, one)

    def rehearse(self, wanted: Wanted, within: AbstractContextManager[None]) -> None:
        """Ask the database once what an idle worker asks, and hang up: what that takes is loaded then.

        A database that does not answer `within` a time is no obstacle.
        """
        self.database.rehearse(lambda c: c.compiled(self._earliest(c.driver, wanted)), within)

    def moment(self, moment: datetime) -> Any:
        """A moment as this database's columns hold it."""
        return moment_in(self.database.kind, moment)

    def get(self, job_id: int) -> JobRow | None:
        """The job, or None."""
        query = select(*self._columns).where(self.tables.jobs.c.id == job_id)
        rows = self.database.read(lambda connection: connection.core(query))
        return job_from(rows[0]) if rows else None

    def find(self, which: Filter, *, limit: int = 50, before_id: int | None = None) -> list[JobRow]:
        """Newest first, a page at a time."""
        key = self.tables.jobs.c.id
        query = select(*self._columns).where(self.meant(which)).order_by(key.desc()).limit(limit)
        if before_id is not None:
            query = query.where(key < before_id)
        return jobs_from(self.database.read(lambda connection: connection.core(query)))

    def count(self, which: Filter, *, at_most: int | None = None) -> int:
        """How many jobs `which` means, looking no further than `at_most`."""
        some = select(self.tables.jobs.c.id).where(self.meant(which)).limit(at_most).subquery()
        query = select(func.count()).select_from(some)
        return int(self.database.read(lambda connection: connection.core(query))[0][0])

    def attempts(self, job_id: int) -> list[AttemptRow]:
        """Every failed attempt, oldest first."""
        table = self.tables.attempts
        columns = [table.c[name] for name in AttemptRow._fields]
        query = select(*columns).where(table.c.job_id == job_id).order_by(table.c.id)
        return [attempt_from(row) for row in self.database.read(lambda c: c.core(query))]

    def queues(self) -> list[QueueRow]:
        """Every queue that has jobs or is paused, by name."""
        jobs = self.tables.jobs.c
        counted = select(jobs.queue, jobs.state, func.count(), func.min(jobs.run_at)).group_by(
            jobs.queue, jobs.state
        )
        paused = select(self.tables.queues.c.name, self.tables.queues.c.paused_at)
        rows, stops = self.database.read(lambda c: (c.core(counted), c.core(paused)))
        found = {name: QueueRow(name, moment_from(since), {}, None) for name, since in stops}
        for name, state, number, earliest in rows:
            queue = found.setdefault(name, QueueRow(name, None, {}, None))
            queue.counts[State(state)] = number
            if state == State.READY:
                found[name] = queue._replace(oldest_ready=moment_from(earliest))
        return [found[name] for name in sorted(found)]

    def next_run_at(self, wanted: Wanted) -> datetime | None:
        """The earliest run_at among scheduled jobs that `wanted` covers."""
        [[earliest]] = self.database.read(lambda c: c.compiled(self._earliest(c.driver, wanted)))
        return None if earliest is None else moment_from(earliest)

    def _compile_earliest(self, driver: Driver, wanted: Wanted) -> Compiled:
        jobs = self.tables.jobs.c
        waiting = jobs.state == int(State.SCHEDULED)
        return driver.compile(select(func.min(jobs.run_at)).where(waiting, self.wanted(wanted)))

    def held(self, worker: WorkerRef) -> list[Lease]:
        """Every attempt that is running for this worker."""
        jobs = self.tables.jobs.c
        theirs = and_(jobs.worker_id == worker.id, jobs.state == int(State.RUNNING))
        query = select(jobs.id, jobs.lease).where(theirs)
        rows = self.database.read(lambda connection: connection.core(query))
        return [(job_id, lease) for job_id, lease in rows]

    def workers(self) -> list[WorkerRow]:
        """Every registered worker, oldest first."""
        rows = self.database.read(lambda c: c.compiled(self._everybody(c.driver)))
        return [worker_from(row) for row in rows]

    def _compile_everybody(self, driver: Driver) -> Compiled:
        table = self.tables.workers
        query = select(*(table.c[name] for name in WorkerRow._fields)).order_by(table.c.id)
        return driver.compile(query)

    def meant(self, which: Filter) -> ColumnElement[bool]:
        """The condition that a job is one of those that `which` means."""
        jobs = self.tables.jobs.c
        conditions: list[ColumnElement[bool]] = [
            column == value
            for column, value in (
                (jobs.queue, which.queue),
                (jobs.name, which.name),
                (jobs.key, which.key),
                (jobs.locked_by, which.worker),
                (jobs.priority, which.priority),
                (jobs.locale, which.locale),
            )
            if value is not None
        ]
        if which.ids is not None:
            conditions.append(literal_in(jobs.id, which.ids))
        if which.states is not None:
            conditions.append(jobs.state.in_([int(state) for state in which.states]))
        if which.text is not None:
            position = getattr(func, _POSITION[self.database.kind])
            texts = (jobs.name, jobs.payload, func.coalesce(jobs.last_error, ""))
            conditions.append(or_(*(position(text, which.text) > 0 for text in texts)))
        if which.error is not None:
            begins = func.substr(func.coalesce(jobs.last_error, ""), 1, len(which.error))
            conditions.append(begins == which.error)
        if which.created_before is not None:
            conditions.append(jobs.created_at < self.moment(which.created_before))
        if which.created_after is not None:
            conditions.append(jobs.created_at >= self.moment(which.created_after))
        return and_(true(), *conditions)

    def wanted(self, wanted: Wanted) -> ColumnElement[bool]:
        """The condition that `wanted` covers a job, paused queues not considered."""
        jobs = self.tables.jobs.c
        conditions: list[ColumnElement[bool]] = []
        if wanted.queues is not None:
            conditions.append(jobs.queue.in_(wanted.queues))
        if wanted.except_queues:
            conditions.append(jobs.queue.not_in(wanted.except_queues))
        if wanted.min_priority is not None:
            conditions.append(jobs.priority >= wanted.min_priority)
        if wanted.max_priority is not None:
            conditions.append(jobs.priority <= wanted.max_priority)
        return and_(true(), *conditions)


def literal_in(column: ColumnElement[int], numbers: Iterable[int]) -> ColumnElement[bool]:
    """The condition that `column` is one of `numbers`, which stand in the text: any amount of them."""
    known = [int(number) for number in numbers]
    return column.in_(bindparam(None, known, expanding=True, literal_execute=True))
