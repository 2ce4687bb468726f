"""Statements that repeat a part: as many SELECTs or rows as are asked for, each with its own values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from bide.db.statements import Statement, Statements

_PARAMETER: Final = re.compile(r":([a-z_]+)")
#: Statements that are remembered.
_TEXTS: Final = 500


class Repeated:
    """Statements made of the parts that lie in MySQL's folder, remembered by how many there are."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._made: dict[tuple[str, Any], Statement] = {}

    def look(self, parts: tuple[str, ...]) -> Statement:
        """These SELECTs, each with its number, what is paused and what is due, in one."""
        return self._remembered("look", parts, self._look)

    def glimpse(self, count: int) -> Statement:
        """`count` times the first job after a level, and one that is due."""
        return self._remembered("glimpse", count, self._glimpse)

    def watch(self, count: int, questions: tuple[str, ...]) -> Statement:
        """What waits until a first job after one of `count` levels is new, one is due, or a question is true.

        The parameters of the questions are numbered behind those of the levels.
        """
        return self._remembered("watch", (count, questions), self._watch)

    def union(self, part: str, count: int) -> Statement:
        """`count` times the SELECT `part`, in one."""
        return self._remembered(part, count, lambda many: _union(self._parts(part, many)))

    def insert(self, count: int) -> Statement:
        """The INSERT of `count` jobs."""
        return self._remembered("insert", count, self._insert)

    def _remembered(self, name: str, shape: Any, write: Callable[[Any], str]) -> Statement:
        made = self._made.get((name, shape))
        if made is None:
            if len(self._made) >= _TEXTS:
                self._made.clear()
            made = self._made[name, shape] = Statement(write(shape), name)
        return made

    def _look(self, parts: tuple[str, ...]) -> str:
        probes = (self._statements[name].text for name in ("paused", "first_due"))
        return _union([*(self._part(name, n) for n, name in enumerate(parts)), *probes])

    def _glimpse(self, count: int) -> str:
        return _union([*self._parts("glimpse_level", count), self._statements["glimpse_due"].text])

    def _watch(self, shape: tuple[int, tuple[str, ...]]) -> str:
        count, questions = shape
        points = " OR ".join(self._parts("watch_point", count))
        asked = (with_number(text, number) for number, text in enumerate(questions, count))
        return (
            self._statements["watch"]
            .text.replace("/* points */", points)
            .replace("/* questions */", " OR ".join(asked) or "FALSE")
        )

    def _insert(self, count: int) -> str:
        rows = ",\n".join(self._parts("insert_row", count))
        return self._statements["insert"].text.replace("/* rows */", rows)

    def _parts(self, name: str, count: int) -> list[str]:
        return [self._part(name, number) for number in range(count)]

    def _part(self, name: str, number: int) -> str:
        return with_number(self._statements[name].text, number)


def with_number(text: str, number: int) -> str:
    """A part of a repeated statement, its parameters told from those of the others."""
    return _PARAMETER.sub(rf":\1_{number}", text)


def numbered(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of a repeated statement: those of each part, with its number behind the name."""
    return {
        f"{name}_{number}": value
        for number, params in enumerate(parts)
        for name, value in params.items()
    }


def _union(parts: Iterable[str]) -> str:
    return "\nUNION ALL\n".join(f"({part})" for part in parts)
