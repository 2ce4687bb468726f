"""Taking ready jobs in MySQL: look at the levels without a lock, then lock as many as are taken."""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from bide.db.connection import Connection, Row
from bide.db.dialects import moment_in
from bide.db.engine import Database
from bide.db.loops import Question
from bide.db.statements import Statement, Statements
from bide.jobs.job import JobRow, State
from bide.jobs.store import Wanted, WorkerRef
from bide.jobs.stores.mysql_levels import Level, Look, Point, Walk, in_order
from bide.jobs.stores.mysql_texts import Repeated, numbered

#: Levels that one transaction takes from; ids that one statement names; batches that one claim
#: promotes at most, however many are due; walks that are remembered.
_LEVELS: Final = 100
BATCH: Final = 1000
_PROMOTIONS: Final = 10
_WALKS: Final = 8


class Taken(NamedTuple):
    """What one transaction took, and the levels in which others had locked what it came for."""

    rows: list[JobRow]
    contended: set[tuple[str, int]]
    #: Whether there may be more, so that another look is worth it.
    more: bool
    #: Of each level where it ended; None where less was found than it came for.
    marks: dict[tuple[str, int], int | None]


class Claims:
    """Claiming and promoting. Threads may share it: a walk that two of them changed costs a look."""

    def __init__(self, database: Database, statements: Statements, repeated: Repeated) -> None:
        self._database = database
        self._statements = statements
        self._repeated = repeated
        self._walks: OrderedDict[Wanted, Walk] = OrderedDict()
        self._anything = Walk(Wanted(), repeated)

    def claim(self, worker: WorkerRef, wanted: Wanted, limit: int, now: datetime) -> list[JobRow]:
        """Make up to `limit` ready jobs running for `worker`."""
        taken: list[JobRow] = []
        contended: set[tuple[str, int]] = set()
        walk = self._walk(wanted)
        while len(taken) < limit:
            seen = self._promoted_look(walk, now)
            levels = [level for level in seen.levels if level[:2] not in contended]
            if not levels:
                break
            got = self._take(worker, levels, limit - len(taken), now)
            taken += got.rows
            contended |= got.contended
            for level, pos in got.marks.items():
                walk.mark(*level, pos)
            if not got.more:
                break
        return taken

    def promote(self, now: datetime, limit: int) -> int:
        """Make scheduled jobs ready that are due, in the order of run_at."""

        def work(connection: Connection) -> int:
            params = {"now": moment_in("mysql", now), "limit": limit}
            rows = connection.execute(self._statements["lock_due"], params)
            self.make_ready(connection, [job_id for (job_id,) in rows])
            return len(rows)

        return self._database.run(work, repeat=True)

    def make_ready(self, connection: Connection, ids: Sequence[int]) -> None:
        """Put jobs that this transaction has locked behind those that are ready, in this order."""
        for some in batches(ids):
            connection.execute(self._statements["make_ready"], {"ids": json.dumps(some)})

    def glance(self, now: datetime) -> list[Look]:
        """What is ready of what was claimed here lately (of all, when nothing was), and due."""
        walks = list(self._walks.values()) or [self._anything]
        return [self._look(walk, now) for walk in walks]

    def points(self) -> list[Point]:
        """The ways of the walks that `glance` looks along."""
        walks = list(self._walks.values()) or [self._anything]
        return list(dict.fromkeys(point for walk in walks for point in walk.points()))

    def glimpse(self, points: Sequence[Point], now: datetime) -> set[str]:
        """What is first behind each point, and due, as texts: a third of the cost of a look.

        While there is no new text, a look along these points would show nothing new.
        """
        params = numbered(point._asdict() for point in points) | {"now": moment_in("mysql", now)}
        statement = self._repeated.glimpse(len(points))
        return {text for (text,) in self._database.read(lambda c: c.execute(statement, params))}

    def watch(
        self,
        points: Sequence[Point],
        seen: Collection[str],
        pause: float,
        now: datetime,
        questions: Sequence[Question] = (),
    ) -> tuple[Statement, dict[str, Any]]:
        """The statement that looks every `pause` seconds for about a second, until something is not in
        `seen` or a question is true; it says whether one is."""
        mind_due = all(" " in text for text in seen)
        known = ("", *seen)
        ways = ({"seen": known, **point._asdict()} for point in points)
        params = numbered([*ways, *(question.params for question in questions)]) | {
            "turns": json.dumps([0] * max(1, round(1 / pause))),
            "pause": pause,
            "length": round(pause * 1e6),
            "mind_due": mind_due,
            "now": moment_in("mysql", now),
        }
        return self._repeated.watch(len(points), tuple(one.text for one in questions)), params

    def workers(self) -> int:
        """How many are registered."""
        known = self._statements["known_workers"]
        return len(self._database.read(lambda connection: connection.execute(known)))

    def _walk(self, wanted: Wanted) -> Walk:
        walk = self._walks.pop(wanted, None) or Walk(wanted, self._repeated)
        self._walks[wanted] = walk
        while len(self._walks) > _WALKS:
            self._walks.popitem(last=False)
        return walk

    def _promoted_look(self, walk: Walk, now: datetime) -> Look:
        seen = self._look(walk, now)
        for _ in range(_PROMOTIONS):
            if seen.due is None or not self.promote(now, BATCH):
                break
            seen = self._look(walk, now)
        return seen

    def _look(self, walk: Walk, now: datetime) -> Look:
        moment = moment_in("mysql", now)
        return self._database.read(lambda connection: walk.look(connection, moment))

    def _take(self, worker: WorkerRef, levels: Sequence[Level], limit: int, now: datetime) -> Taken:
        chosen: list[Row] = []

        def work(connection: Connection) -> Taken:
            if self._have(connection, worker, chosen):
                return Taken(running(chosen, worker, now), set(), more=False, marks={})
            shares, more = self._shares(connection, levels, limit)
            if not shares:  # others took them since the look
                return Taken([], {level[:2] for level in levels[:_LEVELS]}, more, {})
            chosen[:] = self._lock(connection, shares)
            self._mark(connection, worker, chosen, now)
            marks = _marks(shares, chosen)
            locked = {level for level, pos in marks.items() if pos is None}
            if len(shares) == 1 and shares[0][1] > 1:
                locked = set()  # all of that level that nobody else has locked
            rows = running(chosen, worker, now)
            return Taken(rows, locked, more or bool(locked), marks)

        return self._database.run(work, repeat=True)

    def _have(self, connection: Connection, worker: WorkerRef, chosen: Sequence[Row]) -> bool:
        """Whether the transaction was committed when the connection was lost in it."""
        expected = {(row[0], row[_LEASE] + 1) for row in chosen}
        params = {"ids": tuple(row[0] for row in chosen), "worker": worker.id}
        if not expected:
            return False
        held = connection.execute(self._statements["lock_held"], params)
        return expected == {(job_id, lease) for job_id, lease, _ in held}

    def _shares(
        self, connection: Connection, levels: Sequence[Level], limit: int
    ) -> tuple[list[tuple[Level, int]], bool]:
        """How many jobs to take from which level, and whether others were left out.

        Each level has one ready job at least, so the first `limit` jobs lie in the first `limit`
        levels; of more levels than one statement names, only what comes before the next counts.
        """
        if len(levels) == 1:
            return [(levels[0], limit)], False
        first, rest = levels[: min(limit, _LEVELS)], levels[min(limit, _LEVELS) :]
        if len(first) == 1:
            return [(levels[0], 1)], limit > 1
        found = connection.execute(
            self._repeated.union("first_of_level", len(first)),
            numbered(
                {"number": n, "limit": limit, **level._asdict()} for n, level in enumerate(first)
            ),
        )
        heads = sorted(found, key=lambda row: row[1:])
        if rest:
            heads = [row for row in heads if row[1:] < in_order(rest[0])]
        counts = Counter(row[0] for row in heads[:limit])
        return [(first[number], count) for number, count in counts.items()], bool(rest)

    def _lock(self, connection: Connection, shares: Sequence[tuple[Level, int]]) -> list[Row]:
        rows = connection.execute(
            self._repeated.union("lock_level", len(shares)),
            numbered({"limit": count, **level._asdict()} for level, count in shares),
        )
        return sorted(rows, key=lambda row: (row[_PRIORITY], row[_POS], row[0]))

    def _mark(
        self, connection: Connection, worker: WorkerRef, rows: Sequence[Row], now: datetime
    ) -> None:
        params = {"now": moment_in("mysql", now), "name": worker.name, "worker": worker.id}
        for some in batches([row[0] for row in rows]):
            connection.execute(self._statements["take"], params | {"ids": tuple(some)})


#: Columns of locked rows.
_QUEUE: Final = 3
_PRIORITY: Final = 4
_LEASE: Final = 10
_POS: Final = -1


def running(rows: Sequence[Row], worker: WorkerRef, now: datetime) -> list[JobRow]:
    """Locked rows as they are once they are taken."""
    moment, running = now.astimezone(UTC), int(State.RUNNING)
    worker_id, name = worker
    return [
        JobRow(
            job_id, key, job, queue, priority, running, payload, attempts, crashes, max_attempts,
            run_at.replace(tzinfo=UTC), moment, name, worker_id, lease + 1, None, None, last_error,
            created_at.replace(tzinfo=UTC), locale, context,
        )
        for (
            job_id, key, job, queue, priority, payload, attempts, crashes, max_attempts, run_at,
            lease, last_error, created_at, locale, context, _,
        ) in rows
    ]  # fmt: skip


def batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    """`ids` in pieces that one statement can name."""
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def _marks(
    shares: Sequence[tuple[Level, int]], rows: Sequence[Row]
) -> dict[tuple[str, int], int | None]:
    got = Counter((row[_QUEUE], row[_PRIORITY]) for row in rows)
    last = {(row[_QUEUE], row[_PRIORITY]): row[_POS] for row in rows}
    return {
        level[:2]: last[level[:2]] if got[level[:2]] == count else None for level, count in shares
    }
