"""Statements that repeat a part: as many SELECTs or rows as are asked for, each with its own values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from bide.db.statements import Statement, Statements

_PARAMETER: Final = re.compile(r":([a-z_]+)")


class Repeated:
    """Statements made of the parts that lie in MySQL's folder, remembered by how many there are."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._made: dict[tuple[str, int], Statement] = {}

    def look(self, count: int) -> Statement:
        """`count` times the next level, what is paused and what is due, in one SELECT."""
        return self._remembered("look", count, self._look)

    def union(self, part: str, count: int) -> Statement:
        """`count` times the SELECT `part`, in one."""
        return self._remembered(part, count, lambda many: _union(self._parts(part, many)))

    def insert(self, count: int) -> Statement:
        """The INSERT of `count` jobs."""
        return self._remembered("insert", count, self._insert)

    def _remembered(self, name: str, count: int, write: Any) -> Statement:
        made = self._made.get((name, count))
        if made is None:
            made = self._made[name, count] = Statement(write(count), name)
        return made

    def _look(self, count: int) -> str:
        probes = (self._statements[name].text for name in ("paused", "first_due"))
        return _union([*self._parts("next_level", count), *probes])

    def _insert(self, count: int) -> str:
        rows = ",\n".join(self._parts("insert_row", count))
        return self._statements["insert"].text.replace("/* rows */", rows)

    def _parts(self, name: str, count: int) -> list[str]:
        text = self._statements[name].text
        return [_PARAMETER.sub(rf":\1_{number}", text) for number in range(count)]


def numbered(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The parameters of a repeated statement: those of each part, with its number behind the name."""
    return {
        f"{name}_{number}": value
        for number, params in enumerate(parts)
        for name, value in params.items()
    }


def _union(parts: Iterable[str]) -> str:
    return "\nUNION ALL\n".join(f"({part})" for part in parts)
