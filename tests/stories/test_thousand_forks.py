"""Forks without end, with edits in between: every session stays its own, and no word is older than a second."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import Chain, Database, I18n, Simple
from bide.i18n.migrations import TEXTS
from in_child import finish, start

ALIVE = 3
LOOKS = 8


class Look(NamedTuple):
    """What a process was told, and when it asked."""

    at: float
    number: int


class Told(NamedTuple):
    """What a process saw, and the answers on its own connection that were not its own."""

    looks: list[Look]
    wrong: list[str]


class Family:
    """A parent that edits and forks, and its children."""

    def __init__(self, url: str) -> None:
        self.door, self.writing = Door(url), Door(url)
        migrate(self.door, TEXTS)
        self.database = Database(self.door)
        self.texts = I18n(Chain(self.database, Simple()))
        self.writer = Database(self.writing)
        self.edits: list[Look] = []
        self.edit()
        self.parent = Told([], [])

    def edit(self) -> None:
        number = len(self.edits)
        self.writer.store("en", {"greeting": str(number)})
        self.edits.append(Look(time.monotonic(), number))

    def look(self, told: Told, tag: str) -> None:
        """Ask for the text, and for something that no other process asks."""
        at = time.monotonic()
        told.looks.append(Look(at, int(self.texts.t("greeting"))))
        try:
            [(answer,)] = self.door.read(lambda c: c.execute("SELECT :tag", {"tag": tag}))
        except Exception as error:  # noqa: BLE001 - whatever breaks is what is looked for
            answer = repr(error)
        if answer != tag:
            told.wrong.append(f"{tag}: {answer}")

    def child(self, number: int) -> Told:
        told = Told([], [])
        for turn in range(LOOKS):
            self.look(told, f"child-{number}-{turn}")
            time.sleep(0.04)
        self.database.close()
        return told

    def run(self, forks: int) -> list[Told]:
        alive: deque[tuple[int, int]] = deque()
        told = []
        for number in range(forks):
            alive.append(start(lambda number=number: self.child(number)))
            self.look(self.parent, f"parent-{number}")
            self.edit()
            self.look(self.parent, f"parent-again-{number}")
            if len(alive) >= ALIVE:
                told.append(finish(*alive.popleft(), within=60))
        return [*told, *(finish(*each, within=60) for each in alive)]

    def stale(self, told: Told, seconds: float) -> list[str]:
        """Words that were older than so many seconds when they were asked for."""
        return [
            f"{look.number} was told {look.at - newer.at:.2f} s after {newer.number} was stored"
            for look in told.looks
            for newer in self.edits[look.number + 1 : look.number + 2]
            if look.at - newer.at > seconds
        ]

    def close(self) -> None:
        self.database.close()
        self.writer.close()
        self.door.close()
        self.writing.close()


@pytest.fixture
def family(database_url: str) -> Iterator[Family]:
    family = Family(database_url)
    yield family
    family.close()


# A busy machine may hold a child up; alone, as bin/soak runs it, a second is the promise.
@pytest.mark.parametrize(
    ("forks", "seconds"),
    [
        pytest.param(25, 5.0, marks=[pytest.mark.story, pytest.mark.timeout(120)]),
        pytest.param(1000, 1.0, marks=[pytest.mark.soak, pytest.mark.timeout(1200)]),
    ],
)
def test_forks_and_edits_break_no_session_and_leave_no_stale_word(
    family: Family, forks: int, seconds: float
) -> None:
    children = family.run(forks)
    everyone = [family.parent, *children]
    assert [wrong for told in everyone for wrong in told.wrong] == []
    assert [word for told in everyone for word in family.stale(told, seconds)] == []
    assert len(children) == forks
    assert sum(len(told.looks) for told in children) == forks * LOOKS
    assert len({look.number for told in everyone for look in told.looks}) > forks / 2
