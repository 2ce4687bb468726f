"""Which queues and priorities have ready jobs: a walk over the index that visits one row of each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

from bide.db.connection import Connection, Row
from bide.jobs.store import Wanted
from bide.jobs.stores.mysql_texts import Repeated, numbered

#: Priorities are 32 bit numbers: below the lowest, and the highest.
_BELOW: Final = -(2**31) - 1
_HIGHEST: Final = 2**31 - 1
#: What rows begin with that are no level.
_PAUSED: Final = -1
_DUE: Final = -2
#: SELECTs in one statement.
_ARMS: Final = 200


class Point(NamedTuple):
    """A place in the index; the next level is looked for behind it."""

    queue: str
    priority: int


class Level(NamedTuple):
    """Ready jobs of one queue and priority: the place and the id of the first."""

    queue: str
    priority: int
    pos: int
    id: int


class Look(NamedTuple):
    """What one look saw: levels in the order of the claim, and the id of the job that is due first."""

    levels: list[Level]
    due: int | None


class Walk:
    """The walk of one `Wanted`, which remembers where it went.

    No index scan of MySQL jumps from group to group for certain, so each jump is a SELECT of one
    row. Those of the last walk go in one statement; only a level that is new costs another.
    """

    def __init__(self, wanted: Wanted, repeated: Repeated) -> None:
        self._wanted = wanted
        self._repeated = repeated
        queues = wanted.queues
        self._named = None if queues is None else sorted(set(queues) - set(wanted.except_queues))
        lowest = wanted.min_priority
        self._below = _BELOW if lowest is None else lowest - 1
        self._points: tuple[Point, ...] = ()

    def look(self, connection: Connection, now: Any) -> Look:
        """Ready jobs by level, and what is due at `now`; nothing is locked."""
        known, paused, due = self._ask(connection, self._points, now)
        levels: list[Level] = []
        points: list[Point] = []
        point = self._first()
        while point is not None:
            if point not in known:
                known |= self._ask(connection, (point,), now)[0]
            points.append(point)
            level = known[point]
            if level is None:
                break
            if self._takes(level, paused):
                levels.append(level)
                point = Point(level.queue, level.priority)
            else:
                point = self._past(level, paused)
        self._points = tuple(points)
        return Look(sorted(levels, key=in_order), due)

    def _ask(
        self, connection: Connection, points: Sequence[Point], now: Any
    ) -> tuple[dict[Point, Level | None], set[str], int | None]:
        known: dict[Point, Level | None] = dict.fromkeys(points)
        paused: set[str] = set()
        due: int | None = None
        for start in range(0, max(1, len(points)), _ARMS):
            some = points[start : start + _ARMS]
            for number, queue, priority, pos, job_id in self._rows(connection, some, now):
                if number == _PAUSED:
                    paused.add(queue)
                elif number == _DUE:
                    due = job_id
                else:
                    known[some[number]] = Level(queue, priority, pos, job_id)
        return known, paused, due

    def _rows(self, connection: Connection, points: Sequence[Point], now: Any) -> list[Row]:
        params = numbered(
            {"number": number, "queue": point.queue, "priority": point.priority}
            for number, point in enumerate(points)
        )
        return connection.execute(self._repeated.look(len(points)), params | {"now": now})

    def _first(self) -> Point | None:
        if self._named is None:
            return Point("", self._below)
        return Point(self._named[0], self._below) if self._named else None

    def _takes(self, level: Level, paused: Collection[str]) -> bool:
        highest = self._wanted.max_priority
        return (
            self._takes_queue(level.queue, paused)
            and level.priority > self._below
            and (highest is None or level.priority <= highest)
        )

    def _takes_queue(self, queue: str, paused: Collection[str]) -> bool:
        if queue in paused or queue in self._wanted.except_queues:
            return False
        return self._named is None or queue in self._named

    def _past(self, level: Level, paused: Collection[str]) -> Point | None:
        """Where to go on behind a level that is not taken."""
        if self._takes_queue(level.queue, paused) and level.priority <= self._below:
            return Point(level.queue, self._below)
        if self._named is None:
            return Point(level.queue, _HIGHEST)
        later = (name for name in self._named if name > level.queue)
        following = next(later, None)
        return None if following is None else Point(following, self._below)


def in_order(level: Level) -> tuple[int, int, int]:
    """The key that sorts levels into the order of the claim."""
    return level.priority, level.pos, level.id
