"""How PostgreSQL gives out jobs: claims from low-water marks, looks from zero, promotion of due jobs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import groupby
from math import inf
from typing import Any, Final, NamedTuple

from bide.clock import monotonic
from bide.db.connection import Connection, Row
from bide.db.engine import Database
from bide.db.statements import Statement, Statements
from bide.errors import ConnectionLost
from bide.forks.owned import Owned
from bide.jobs.job import JobRow, State
from bide.jobs.store import Wanted, WorkerRef
from bide.jobs.stores.marks import Level, Marks, Used
from bide.jobs.stores.rows import job_from

#: How many due jobs one claim makes ready before it takes any.
PROMOTED_AT_ONCE: Final = 1000
#: Remembered texts of claims.
TEXTS: Final = 200

#: What a claim tells of each job.
_TOLD: Final = (
    "id", "key", "name", "queue", "priority", "payload", "attempts", "crashes", "max_attempts",
    "run_at", "lease", "last_error", "created_at", "locale", "context",
)  # fmt: skip
_RUNNING: Final = int(State.RUNNING)

NO_LEVEL: Final = "SELECT NULL::bigint AS id WHERE false"


class Order(NamedTuple):
    """What a worker asks for."""

    worker: WorkerRef
    wanted: Wanted
    now: datetime


class Answer(NamedTuple):
    """What one claim statement took: rows with their places, and whether due jobs were in the way."""

    rows: list[tuple[int, JobRow]]
    due: bool


class Question(NamedTuple):
    """One claim statement as it is sent, and what must be known to read its answer."""

    order: Order
    limit: int
    used: Used
    statement: Statement
    params: dict[str, Any]
    wide: bool = False
    mind_due: bool = True


class Claims:
    """The claim of one store. Its marks belong to the process; a child begins with a look of its own."""

    def __init__(self, database: Database, statements: Statements) -> None:
        self._database = database
        self._statements = statements
        self._marks: Owned[Marks] = Owned(Marks)
        self._lost: Owned[list[tuple[WorkerRef, datetime]]] = Owned(list)
        self._texts: dict[tuple[Any, ...], Statement] = {}
        self._size = 0

    @property
    def marks(self) -> Marks:
        """The marks of this process."""
        return self._marks.get()

    def claim(self, order: Order, limit: int) -> list[JobRow]:
        """Up to `limit` ready jobs, in the order of priority, then of becoming ready."""
        found = self._recover(order.worker)
        told = self.marks.take_told()
        fresh = self.marks.overdue(told=told)
        if fresh:
            self.look()
        rows = self._take(order, limit)
        # What it was told of is taken and waits to be started: the next claim looks for more.
        if len(rows) < limit and not (told and rows) and self._more(order, fresh):
            rows += self._take(order, limit - len(rows), wide=True)
            rows.sort(key=lambda taken: (taken[1].priority, taken[0]))
        return found + [row for _, row in rows]

    def promote(self, now: datetime, limit: int) -> int:
        """Make scheduled jobs ready that are due; how many."""
        used = self.marks.everything()
        params = {"since": self.marks.due_since, "now": now, "limit": limit}

        def work(connection: Connection) -> list[Row]:
            rows = connection.execute(self.planned("promote"), params)
            self.tell(connection, rows)
            return rows

        rows = self._database.run(work)
        self.learn(rows)
        if len(rows) < limit:
            self.marks.promoted(used, now)
        return len(rows)

    def look(self) -> None:
        """See the first ready job of every level, from zero."""
        marks, text = self.marks, self._statements["look"].text
        used = marks.everything()

        def work(connection: Connection) -> tuple[list[Row], float]:
            start = monotonic()
            return connection.execute(text), monotonic() - start

        rows, cost = self._database.read(work)
        found = [((queue, priority), pos) for _, _, queue, priority, pos in rows if pos is not None]
        newest, due = rows[0][:2]
        marks.looked(used, found, newest, due, cost)

    def planned(self, name: str) -> Statement:
        """A statement, prepared anew whenever the table has doubled.

        The server keeps the plan of a prepared statement, and on a table of a few pages that plan reads
        them all: it would go on doing so when a burst has made the table large.
        """
        key = (name, self._size)
        known = self._texts.get(key)
        return known or self._remember(key, self._statements[name].text, name)

    def tell(self, connection: Connection, rows: Iterable[Row]) -> None:
        """Wake waiting workers: rows begin with queue, priority and place of what becomes ready."""
        lowest = lowest_places(rows)
        if lowest:
            params = {
                "queues": [queue for queue, _ in lowest],
                "priorities": [priority for _, priority in lowest],
                "places": list(lowest.values()),
            }
            connection.execute(self._statements["tell"].text, params)

    def learn(self, rows: Iterable[Row]) -> None:
        """Lower this process' marks to what became ready."""
        marks = self.marks
        for level, pos in lowest_places(rows).items():
            marks.lower(level, pos)

    def _more(self, order: Order, fresh: bool) -> bool:
        """Whether a second claim may find what the first has missed."""
        before, since = self.marks.start(order.wanted).marks, self.marks.due_since
        if fresh or not self.marks.may_look():
            return any(len(queues) > 1 for _, queues in by_priority(before))
        self.look()
        if self.marks.due_since < since:
            return True
        after = self.marks.start(order.wanted).marks
        return any(
            level not in before or mark.pos < before[level].pos for level, mark in after.items()
        )

    def _take(self, order: Order, limit: int, *, wide: bool = False) -> list[tuple[int, JobRow]]:
        answer = self._once(order, limit, wide=wide, mind_due=True)
        if answer.due and self.marks.cheap():
            self.look()
        while answer.due:
            promoted = self.promote(order.now, PROMOTED_AT_ONCE)
            answer = self._once(order, limit, wide=wide, mind_due=False)
            more = not answer.rows and promoted == PROMOTED_AT_ONCE
            answer = answer._replace(due=more)
        return answer.rows

    def _once(self, order: Order, limit: int, *, wide: bool, mind_due: bool) -> Answer:
        question = self._question(order, limit, wide=wide, mind_due=mind_due)
        try:
            rows = self._database.single(lambda c: c.execute(question.statement, question.params))
        except ConnectionLost as error:
            if not error.nothing_changed:
                self.lost(order)
            raise
        return self._answer(question, rows)

    def question(self, order: Order, limit: int) -> Question | None:
        """The claim to be sent without waiting for its answer; None if something must be done first."""
        if self._lost.get() or self.marks.overdue():
            return None
        return self._question(order, limit, wide=False, mind_due=True)

    def answer(self, question: Question, rows: Sequence[Row]) -> list[JobRow]:
        """What a claim took that was sent; fewer than it asked for may mean that another finds more."""
        return [row for _, row in self._answer(question, rows).rows]

    def lost(self, order: Order) -> None:
        """Nobody knows what this claim took: the next one asks."""
        self._lost.get().append((order.worker, order.now))

    def _question(self, order: Order, limit: int, *, wide: bool, mind_due: bool) -> Question:
        marks = self.marks
        used = marks.start(order.wanted)
        params: dict[str, Any] = {
            "mind_due": mind_due,
            "strict": mind_due and marks.cheap(),
            "newest": marks.known,
            "since": marks.due_since,
            "now": order.now,
            "name": order.worker.name,
            "worker": order.worker.id,
            "limit": limit,
        }
        statement = self._text(used, limit, wide, params)
        return Question(order, limit, used, statement, params, wide, mind_due)

    def _answer(self, question: Question, rows: Sequence[Row]) -> Answer:
        order, limit, used, _, _, wide, mind_due = question
        order = order._replace(now=order.now.astimezone(UTC))
        marks = self.marks
        newest, due, size = rows[0][:3]
        self._size = (size >> 13).bit_length()
        taken = [(row[-1], _claimed(order, row)) for row in rows if row[3] is not None]
        if not due:
            lowest = _lowest_taken(taken)
            marks.claimed(used, lowest, _emptied(used, taken, limit, wide), newest)
            if mind_due:
                marks.promoted(used, order.now)
        return Answer(taken, due)

    def _recover(self, worker: WorkerRef) -> list[JobRow]:
        """Jobs of claims whose answers were lost with their connections: they run for us already."""
        lost = self._lost.get()
        recovered: list[JobRow] = []
        for one in [one for one in lost if one[0] == worker]:
            text = self._statements["recover"].text.replace("{columns}", ", ".join(JobRow._fields))
            params = {"worker": worker.id, "now": one[1]}
            rows = self._database.read(lambda c, t=text, p=params: c.execute(t, p))  # type: ignore[misc]
            lost.remove(one)
            recovered += [job_from(row[:-1]) for row in sorted(rows, key=lambda row: row[-1])]
        return recovered

    def _text(self, used: Used, limit: int, wide: bool, params: dict[str, Any]) -> Statement:
        """The claim for these levels. LIMITs inside are literals: the planner would guess a parameter."""
        some = 1 << (limit - 1).bit_length()
        window = (2 * some + 32) * (16 if wide else 1)
        shape, pieces = [], []
        for n, (priority, queues) in enumerate(by_priority(used.marks)):
            several = len(queues) > 1
            places = [used.marks[queue, priority].pos for queue in queues]
            params[f"p{n}"] = priority
            params[f"q{n}"] = queues if several else queues[0]
            params[f"m{n}"] = places if several else places[0]
            shape.append(several)
            pieces.append(self._piece(n, several, some, window))
        key = ("claim", self._size, tuple(shape), some, wide)
        known = self._texts.get(key)
        if known is not None:
            return known
        text = self._statements["claim"].text.replace("{columns}", ", ".join(_TOLD))
        text = text.replace("({pieces})", f"({' UNION ALL '.join(pieces) or NO_LEVEL})")
        return self._remember(key, text, "claim")

    def _piece(self, n: int, several: bool, some: int, window: int) -> str:
        text = self._statements["claim_queues" if several else "claim_queue"].text
        for hole, value in (("{n}", n), ("{some}", some), ("{window}", window)):
            text = text.replace(hole, str(value))
        return text

    def _remember(self, key: tuple[Any, ...], text: str, name: str) -> Statement:
        if len(self._texts) >= TEXTS:
            self._texts.clear()
        statement = Statement(f"{text}\n/* {self._size} */", name)
        self._texts[key] = statement
        return statement


def _claimed(order: Order, row: Row) -> JobRow:
    """A job just taken; what the claim itself has set is not sent back."""
    (
        job_id, key, name, queue, priority, payload, attempts, crashes, max_attempts, run_at,
        lease, last_error, created_at, locale, context,
    ) = row[3:-1]  # fmt: skip
    if run_at.tzinfo is not UTC:
        run_at = run_at.astimezone(UTC)
    if created_at.tzinfo is not UTC:
        created_at = created_at.astimezone(UTC)
    worker = order.worker
    return JobRow(
        job_id, key, name, queue, priority, _RUNNING, payload, attempts, crashes, max_attempts, run_at,
        order.now, worker.name, worker.id, lease, None, None, last_error, created_at, locale, context,
    )  # fmt: skip


def _lowest_taken(taken: Sequence[tuple[int, JobRow]]) -> dict[Level, int]:
    """The lowest place of each level; within one they come in the order of their places."""
    lowest: dict[Level, int] = {}
    for pos, row in taken:
        lowest.setdefault((row.queue, row.priority), pos)
    return lowest


def by_priority(levels: Iterable[Level]) -> list[tuple[int, list[str]]]:
    """Queues by priority; `levels` are in the order of priority."""
    groups = groupby(levels, key=lambda level: level[1])
    return [(priority, [queue for queue, _ in group]) for priority, group in groups]


def lowest_places(rows: Iterable[Row]) -> dict[Level, int]:
    """The lowest place of each level; rows begin with queue, priority and place."""
    lowest: dict[Level, int] = {}
    for row in rows:
        level, pos = (row[0], row[1]), row[2]
        if pos < lowest.get(level, inf):
            lowest[level] = pos
    return lowest


def _emptied(used: Used, taken: Sequence[tuple[int, JobRow]], limit: int, wide: bool) -> set[Level]:
    """Levels that the claim has searched to their end; the caller knows which gave rows.

    Several queues of one priority are searched in a window, beyond which others may have locked all.
    """
    full = len(taken) >= limit
    last = taken[-1][1].priority if full else 0
    return {
        (queue, priority)
        for priority, queues in by_priority(used.marks)
        if (not full or priority < last) and (wide or len(queues) == 1)
        for queue in queues
    }
