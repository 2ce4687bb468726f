"""Who works in a supervisor's fleet: the places to fill, the processes in them, when to fill them again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bide import clock
from bide.errors import SettingsError
from bide.jobs.store import Wanted

EXAMPLE = "e.g. -n 4 --threads 8, or -n 4 --concurrency 100"
#: A child that ends sooner than this many seconds after its start is filled in later and later.
SOON = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
#: Rooms on the slate beyond those of the fleet as started: successors, and places added by signal.
SPARE = 32
#: Numbers above these are slips. A supervisor looks at each job of the fleet four times a second: at
#: MOST_AT_A_TIME that costs a quarter of a core.
MOST_THREADS, MOST_CONCURRENCY, MOST_AT_A_TIME = 1000, 10_000, 100_000


@dataclass(frozen=True, slots=True)
class Crew:
    """A number of worker processes for the same queues."""

    wanted: Wanted
    count: int = 1


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many jobs a process runs at a time: `threads` workers with `concurrency` jobs each.

    Raises SettingsError for numbers below 1 and for those that can only be slips.
    """

    threads: int = 1
    concurrency: int = 1

    def __post_init__(self) -> None:
        for name, given, most, why in (
            ("threads", self.threads, MOST_THREADS, "threads that a process may have"),
            (
                "concurrency",
                self.concurrency,
                MOST_CONCURRENCY,
                "jobs at a time that a thread may have",
            ),
        ):
            if given < 1:
                raise SettingsError(f"{name}={given} must be at least 1")
            if given > most:
                raise SettingsError(f"{name}={given} is more than the {most} {why}; {EXAMPLE}")

    @property
    def entries(self) -> int:
        """Entries of the slate that one process needs."""
        return self.threads * self.concurrency

    def check(self, crews: Sequence[Crew]) -> None:
        """Raise SettingsError for a fleet that would run more jobs at a time than it can watch."""
        processes = sum(crew.count for crew in crews)
        if (total := processes * self.entries) > MOST_AT_A_TIME:
            raise SettingsError(
                f"{processes} processes with threads={self.threads} and concurrency={self.concurrency} "
                f"make {total} jobs at a time, more than the {MOST_AT_A_TIME} that a fleet may have; "
                f"{EXAMPLE}"
            )


ONE_LANE = Lanes()


@dataclass(slots=True, eq=False)
class Place:
    """One place of the fleet: which jobs its worker takes, and which entries of the slate it writes."""

    index: int
    wanted: Wanted
    entries: range = range(0)
    pid: int = 0
    born: float = 0.0
    fill_at: float = 0.0
    quick_ends: int = 0
    told_at: float = 0.0
    killed_for: str = ""

    @property
    def empty(self) -> bool:
        return not self.pid

    def filled(self, pid: int) -> None:
        """A process took it."""
        self.pid, self.born = pid, clock.monotonic()
        self.told_at, self.killed_for = 0.0, ""

    def emptied(self, *, bad: bool, useful: bool = False) -> None:
        """Its process ended; one that ended badly, soon and before it did anything useful is
        replaced after a growing pause."""
        now = clock.monotonic()
        soon = bad and not useful and now - self.born < SOON
        self.quick_ends = self.quick_ends + 1 if soon else 0
        pause = FIRST_PAUSE * 2 ** (self.quick_ends - 2) if self.quick_ends > 1 else 0.0
        self.fill_at = now + min(pause, LONGEST_PAUSE)
        self.pid = 0


@dataclass(slots=True)
class Roster:
    """The places of a fleet, in order; `old` hold workers of earlier code, `leaving` are not refilled."""

    places: list[Place]
    rooms: list[range] = field(default_factory=list)
    old: list[Place] = field(default_factory=list)
    leaving: list[Place] = field(default_factory=list)

    @classmethod
    def of(cls, crews: Iterable[Crew], lanes: Lanes) -> Roster:
        """Places for every process of `crews`, and rooms with the entries of the slate that each needs.

        Raises SettingsError.
        """
        crews, entries = list(crews), lanes.entries
        lanes.check(crews)
        wanteds = [crew.wanted for crew in crews for _ in range(crew.count)]
        places = [Place(index, wanted) for index, wanted in enumerate(wanteds)]
        count = len(places) + SPARE
        return cls(places, [range(at * entries, (at + 1) * entries) for at in range(count)])

    @property
    def entries(self) -> int:
        """How many entries of a slate the rooms need, taken ones included."""
        return max(room.stop for room in [*self.rooms, *(place.entries for place in self.manned)])

    @property
    def manned(self) -> list[Place]:
        """Places with a process, of any kind."""
        return [one for one in [*self.places, *self.old, *self.leaving] if not one.empty]

    def to_fill(self) -> list[Place]:
        """Empty places whose time has come, as many as there are rooms."""
        now = clock.monotonic()
        due = [place for place in self.places if place.empty and place.fill_at <= now]
        return due[: len(self.rooms)]

    def take_room(self, place: Place) -> range:
        """Entries of the slate for the worker that starts in `place`."""
        place.entries = self.rooms.pop(0)
        return place.entries

    def buried(self, place: Place, *, bad: bool, useful: bool) -> None:
        """The process of `place` is gone, its entries are free."""
        if place.entries:
            self.rooms.insert(0, place.entries)
            place.entries = range(0)
        place.emptied(bad=bad, useful=useful)
        if place in self.leaving:
            self.leaving.remove(place)
        if place in self.old:
            self.old.remove(place)
            self._let_successor_start(place)

    # Replacing every worker, one by one

    def adopt(self, old: Iterable[Place]) -> None:
        """Go on with workers of earlier code, each until its successor is at work."""
        for place in old:
            (self.leaving if place.told_at else self.old).append(place)
        taken = {entry for place in self.manned for entry in place.entries}
        self.rooms = [room for room in self.rooms if room.start not in taken]
        for place in self.old:
            successor = self._successor(place)
            if successor is not None:
                successor.fill_at = math.inf

    def next_to_leave(self, is_up: Callable[[Place], bool]) -> Place | None:
        """The old worker to be told to stop now: the one before has ended, its successor is at work."""
        if not self.old or self.leaving:
            return None
        old = self.old[0]
        successor = self._successor(old)
        if successor is not None and not is_up(successor):
            self._let_successor_start(old)
            return None
        self.old.remove(old)
        self.leaving.append(old)
        return old

    def _successor(self, old: Place) -> Place | None:
        return next((place for place in self.places if place.index == old.index), None)

    def _let_successor_start(self, old: Place) -> None:
        successor = self._successor(old)
        if successor is not None and successor.fill_at == math.inf:
            successor.fill_at = clock.monotonic()

    # One more, one fewer

    def grow(self) -> bool:
        """One place more, like the last one; False when the slate has no room for it."""
        if len(self.rooms) < 2:
            return False
        last = self.places[-1]
        self.places.append(Place(last.index + 1, last.wanted))
        return True

    def shrink(self) -> Place | None:
        """The last place, which is to leave; None when it is the only one."""
        if len(self.places) < 2:
            return None
        last = self.places.pop()
        if not last.empty:
            self.leaving.append(last)
        return last
