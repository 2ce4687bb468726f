"""Who works in a supervisor's fleet: the places to fill, the processes in them, when to fill them again."""

from __future__ import annotations

from dataclasses import dataclass, field

from bide import clock
from bide.jobs.store import Wanted

#: A child that ends sooner than this many seconds after its start is filled in later and later.
SOON = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0


@dataclass(frozen=True, slots=True)
class Crew:
    """A number of worker processes for the same queues."""

    wanted: Wanted
    count: int = 1


@dataclass(frozen=True, slots=True)
class Lanes:
    """How many jobs a process runs at a time: `threads` workers with `concurrency` jobs each."""

    threads: int = 1
    concurrency: int = 1

    @property
    def entries(self) -> int:
        """Entries of the slate that one process needs."""
        return self.threads * self.concurrency


ONE_LANE = Lanes()


@dataclass(slots=True)
class Place:
    """One place of the fleet: which jobs its worker takes, and which entries of the slate it writes."""

    index: int
    wanted: Wanted
    entries: range
    pid: int = 0
    born: float = 0.0
    fill_at: float = 0.0
    quick_ends: int = 0
    told_to_stop: bool = False
    killed_for: str = ""

    @property
    def empty(self) -> bool:
        return not self.pid

    def filled(self, pid: int) -> None:
        """A process took it."""
        self.pid, self.born = pid, clock.monotonic()
        self.told_to_stop, self.killed_for = False, ""

    def emptied(self, *, bad: bool) -> None:
        """Its process ended; one that ended badly and soon is replaced after a growing pause."""
        now = clock.monotonic()
        soon = bad and now - self.born < SOON
        self.quick_ends = self.quick_ends + 1 if soon else 0
        pause = FIRST_PAUSE * 2 ** (self.quick_ends - 2) if self.quick_ends > 1 else 0.0
        self.fill_at = now + min(pause, LONGEST_PAUSE)
        self.pid = 0


@dataclass(slots=True)
class Roster:
    """The places of a fleet, in order."""

    places: list[Place] = field(default_factory=list)

    @classmethod
    def of(cls, crews: list[Crew], entries: int) -> Roster:
        """Places for every process of `crews`, so many entries of the slate each."""
        wanteds = [crew.wanted for crew in crews for _ in range(crew.count)]
        return cls(
            [
                Place(index, wanted, range(index * entries, (index + 1) * entries))
                for index, wanted in enumerate(wanteds)
            ]
        )

    @property
    def manned(self) -> list[Place]:
        """Places with a process."""
        return [place for place in self.places if not place.empty]

    def to_fill(self) -> list[Place]:
        """Empty places whose time has come."""
        now = clock.monotonic()
        return [place for place in self.places if place.empty and place.fill_at <= now]
