"""Looking at very many jobs in any SQL database, in bounded time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, literal, select, true, union_all

from bide.db.connection import Connection, Row
from bide.db.dialects import moment_from, moment_in
from bide.db.engine import Database
from bide.jobs.job import Filter, JobRow, QueueRow, State
from bide.jobs.stores.orders import Order, order_of
from bide.jobs.stores.rows import jobs_from
from bide.jobs.surveys import AMONG, ERROR_LENGTH, MOST, Group, Page, first_line
from bide.jobs.tables import tables

#: Queues and priorities that are looked at one by one; more exist only by mistake.
_MOST_LEVELS: Final = 300
_FIELDS: Final = len(JobRow._fields)

Meant = Callable[[Filter], ColumnElement[bool]]


class SqlSurveys:
    """The group Surveying of every store in a SQL database. `meant` is the condition of a filter."""

    def __init__(self, database: Database, meant: Meant) -> None:
        self._database = database
        self._meant = meant
        found = tables(database.table_prefix)
        self._jobs, self._stops = found.jobs, found.queues

    def page(
        self, which: Filter, *, limit: int = 50, after: str | None = None, among: int = AMONG
    ) -> Page:
        """Jobs that `which` means, a page at a time."""
        order = order_of(self._jobs, which)
        some, rest = self._some(order, which, after), _rest(which)
        columns = [*(self._jobs.c[name] for name in JobRow._fields), *order.columns]
        if rest == Filter():
            query = select(*columns).where(*some).order_by(*order.by()).limit(limit + 1)
        else:
            near = self._near(order, which, after, among, *columns)
            query = select(*near.columns).where(near.fits).order_by(*near.by).limit(limit + 1)
        end = select(*order.columns).where(*some).order_by(*order.by()).limit(1).offset(among - 1)

        def work(connection: Connection) -> tuple[list[Row], list[Row]]:
            rows = connection.core(query)
            is_short = len(rows) <= limit and rest != Filter()
            return rows, connection.core(end) if is_short else []

        rows, last = self._database.read(work)
        jobs = jobs_from(row[:_FIELDS] for row in rows[:limit])
        if len(rows) > limit:
            return Page(jobs, order.mark(rows[limit - 1][_FIELDS:]))
        return Page(jobs, order.mark(last[0]) if last else None, looked_through=bool(last))

    def counts(self, *, at_most: int = MOST) -> dict[State, int]:
        """How many jobs are in each state, counted up to `at_most`."""
        query = union_all(*(self._counted(state, at_most) for state in State))
        rows = self._database.read(lambda connection: connection.core(query))
        return {State(state): number for state, number in rows if number}

    def queues(self, *, at_most: int = MOST) -> list[QueueRow]:
        """Every queue that has jobs or is paused, by name, with counts that stop."""
        stops = select(self._stops.c.name, self._stops.c.paused_at)
        others = [state for state in State if state != State.READY]
        sampled = union_all(*(self._sampled(state, at_most) for state in others))

        def work(connection: Connection) -> tuple[list[Row], list[Row], list[Row], Levels]:
            levels = self._levels(connection)
            names = sorted({queue for queue, _ in levels})
            ready = self._ready_counts(names, at_most)
            counted = connection.core(ready) if ready is not None else []
            return connection.core(stops), counted, connection.core(sampled), levels

        paused, ready, rows, levels = self._database.read(work)
        found = {name: QueueRow(name, moment_from(since), {}, None) for name, since in paused}
        # A queue of the levels whose last ready job was taken meanwhile is counted without its name.
        counted = [(int(State.READY), *row) for row in ready if row[1]] + rows
        for state, queue, number in counted:
            row = found.setdefault(queue, QueueRow(queue, None, {}, None))
            row.counts[State(state)] = number
        for (queue, _), moment in sorted(levels.items(), key=lambda level: level[1], reverse=True):
            if queue in found:
                found[queue] = found[queue]._replace(oldest_ready=moment)
        return [found[name] for name in sorted(found)]

    def groups(
        self, which: Filter, by: Literal["name", "error"], *, among: int = MOST
    ) -> list[Group]:
        """The jobs that `which` means, told apart, the largest group first."""
        order, jobs = order_of(self._jobs, which), self._jobs.c
        error = func.substr(func.coalesce(jobs.last_error, ""), 1, ERROR_LENGTH)
        near = self._near(order, which, None, among, jobs.name if by == "name" else error, jobs.id)
        value, job_id = near.columns
        query = select(value, func.count(), func.max(job_id)).where(near.fits).group_by(value)
        numbers: Counter[str] = Counter()
        newest: dict[str, int] = {}
        for text, number, job_id in self._database.read(lambda c: c.core(query)):
            name = text if by == "name" else first_line(text)
            numbers[name] += number
            newest[name] = max(newest.get(name, 0), job_id)
        return [Group(name, number, newest[name]) for name, number in numbers.most_common()]

    def _near(
        self, order: Order, which: Filter, after: str | None, among: int, *columns: Any
    ) -> Near:
        """The first `among` jobs of a list, and which of them fit. Behind a LIMIT no planner mistakes the
        filter for something to begin with."""
        named = [column.label(f"c{place}") for place, column in enumerate(columns)]
        keys = [column.label(f"k{place}") for place, column in enumerate(order.columns)]
        fits = self._meant(_rest(which)).label("fits")
        some = self._some(order, which, after)
        query = select(*named, *keys, fits).where(*some).order_by(*order.by()).limit(among)
        near = query.subquery("near").c
        places = [near[key.name] for key in keys]
        return Near(
            [near[column.name] for column in named],
            near.fits == true(),
            [place.desc() if order.descending else place.asc() for place in places],
        )

    def _some(self, order: Order, which: Filter, after: str | None) -> list[ColumnElement[bool]]:
        """What an index can answer of a filter."""
        kind = self._database.kind
        place = order.values(after, lambda moment: moment_in(kind, moment))
        near = Filter(states=which.states, queue=which.queue if _is_ready(which) else None)
        return [self._meant(near), order.behind(place, kind)]

    def _bounded(self, state: State, at_most: int, *columns: Any) -> Any:
        jobs = self._jobs.c
        by = {  # by an index of that state, since a planner would rather read the table
            State.READY: (jobs.queue, jobs.priority, jobs.pos),
            State.RUNNING: (jobs.worker_id,),
            State.SCHEDULED: (jobs.run_at,),
        }.get(state, (jobs.state, jobs.finished_at))
        query = select(*columns).where(jobs.state == int(state)).order_by(*by).limit(at_most)
        return query.subquery(f"some_{state.name.lower()}")

    def _counted(self, state: State, at_most: int) -> Select[int, int]:
        some = self._bounded(state, at_most, self._jobs.c.id)
        return select(literal(int(state)), func.count()).select_from(some)

    def _sampled(self, state: State, at_most: int) -> Select[Any, Any, int]:
        some = self._bounded(state, at_most, self._jobs.c.queue)
        return select(literal(int(state)), some.c.queue, func.count()).group_by(some.c.queue)

    def _ready_counts(self, names: list[str], at_most: int) -> Any:
        jobs, parts = self._jobs.c, []
        for place, name in enumerate(names):
            ready = and_(jobs.state == int(State.READY), jobs.queue == name)
            # Ordered as the index is, or a planner would rather read the table.
            first = select(jobs.queue).where(ready).order_by(jobs.queue, jobs.priority, jobs.pos)
            some = first.limit(at_most).subquery(f"queue_{place}")
            parts.append(select(func.max(some.c.queue), func.count()).select_from(some))
        return union_all(*parts) if parts else None

    def _levels(self, connection: Connection) -> Levels:
        """Every queue and priority that has ready jobs, with the run_at of the first in line; each is
        found from the one before, so the index is never walked."""
        jobs, found, queue = self._jobs.c, dict[tuple[str, int], datetime](), ""
        ready = jobs.state == int(State.READY)
        following: ColumnElement[bool] = ready
        while len(found) < _MOST_LEVELS:
            query = select(jobs.queue, jobs.priority, jobs.run_at).where(following)
            rows = connection.core(query.order_by(jobs.queue, jobs.priority, jobs.pos).limit(1))
            if rows:
                queue, priority, moment = rows[0]
                found[queue, priority] = moment_from(moment)
                following = and_(ready, jobs.queue == queue, jobs.priority > priority)
            elif following is ready or not queue:
                break
            else:
                following, queue = and_(ready, jobs.queue > queue), ""
        return found


Levels = dict[tuple[str, int], datetime]


class Near(NamedTuple):
    """Columns of a part of a list, the condition that a row fits, and the order of the list."""

    columns: list[Any]
    fits: ColumnElement[bool]
    by: list[ColumnElement[Any]]


def _is_ready(which: Filter) -> bool:
    return which.states == (State.READY,)


def _rest(which: Filter) -> Filter:
    """What no index answers."""
    return which._replace(states=None, queue=None if _is_ready(which) else which.queue)
