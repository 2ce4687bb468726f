"""Which queues and priorities have ready jobs: a walk over the index that visits one row of each.

Entries of jobs that are gone stay in the index for a while (for as long as an old snapshot is held), and
a SELECT of the first ready job walks over them. So the walk remembers, as a mark, where in a level
the last claim ended, and looks from there. What stands before a mark all the same, because it was
committed late or its claim was rolled back, is found as soon as a claim brings less than it asked for,
and by looks without marks, whose frequency is bounded by their own cost.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bide.clock import monotonic
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
#: Seconds for which marks are believed, or as many times what the last look without them cost.
_BELIEVED: Final = 0.5
_SHARE: Final = 20


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


class _Arm(NamedTuple):
    """One SELECT of a look: the name of its text, the point that it is asked for, and its parameters."""

    part: str
    point: Point
    params: dict[str, Any]


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
        self._marks: dict[Point, int] = {}
        self._looked_at, self._cost = 0.0, 0.0

    def mark(self, queue: str, priority: int, pos: int | None) -> None:
        """No job of that level before `pos` is believed ready; None: nothing is known."""
        if pos is None:
            self._marks.pop(Point(queue, priority), None)
        else:
            self._marks[Point(queue, priority)] = pos

    def look(self, connection: Connection, now: Any) -> Look:
        """Ready jobs by level, and what is due at `now`; nothing is locked."""
        start = monotonic()
        marks = self._believed(start)
        known, paused, due = self._ask(connection, _arms(self._points, marks), now)
        levels: list[Level] = []
        points: list[Point] = []
        point = self._first()
        while point is not None:
            if point not in known:
                known |= self._ask(connection, _arms((point,), {}), now)[0]
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
        if not marks:
            self._looked_at, self._cost = start, monotonic() - start
        return Look(sorted(levels, key=in_order), due)

    def points(self) -> tuple[Point, ...]:
        """The way of the last look."""
        first = self._first()
        return self._points or (() if first is None else (first,))

    def _believed(self, moment: float) -> dict[Point, int]:
        if moment - self._looked_at > max(_BELIEVED, _SHARE * self._cost):
            self._marks.clear()
        return dict(self._marks)

    def _ask(
        self, connection: Connection, arms: Sequence[_Arm], now: Any
    ) -> tuple[dict[Point, Level | None], set[str], int | None]:
        """What follows each point, as far as it is certain; paused queues; what is due."""
        known: dict[Point, Level | None] = {
            arm.point: None for arm in arms if arm.part in ("next_level", "behind")
        }
        doubtful: set[Point] = set()
        paused: set[str] = set()
        due: int | None = None
        for start in range(0, max(1, len(arms)), _ARMS):
            some = arms[start : start + _ARMS]
            for number, queue, priority, pos, job_id in self._rows(connection, some, now):
                if number == _PAUSED:
                    paused.add(queue)
                elif number == _DUE:
                    due = job_id
                elif some[number].part in ("between", "behind"):
                    doubtful.add(some[number].point)
                else:
                    known[some[number].point] = Level(queue, priority, pos, job_id)
        for point in doubtful:
            known.pop(point, None)
        return known, paused, due

    def _rows(self, connection: Connection, arms: Sequence[_Arm], now: Any) -> list[Row]:
        params = numbered({"number": n, **arm.params} for n, arm in enumerate(arms))
        look = self._repeated.look(tuple(arm.part for arm in arms))
        return connection.execute(look, params | {"now": now})

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


def _arms(points: Sequence[Point], marks: Mapping[Point, int]) -> list[_Arm]:
    """What to ask to learn which level follows each of these points, which follow each other."""
    arms: list[_Arm] = []
    for point, following in zip(points, (*points[1:], None), strict=False):
        place = point._asdict()
        if following is None:
            arms.append(_Arm("behind" if point in marks else "next_level", point, place))
        elif following in marks:
            end = {"end_queue": following.queue, "end_priority": following.priority}
            start = {**following._asdict(), "pos": marks[following]}
            arms += [_Arm("between", point, place | end), _Arm("level_from", point, start)]
        else:
            arms.append(_Arm("next_level", point, place))
    return arms


def in_order(level: Level) -> tuple[int, int, int]:
    """The key that sorts levels into the order of the claim."""
    return level.priority, level.pos, level.id
