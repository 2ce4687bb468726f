"""All texts of a table at one moment, as trees that never change, and the next moment made from it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from bide import events
from bide.errors import TextError
from bide.i18n.keys import ESCAPED_DOT, canonical
from bide.i18n.psych import PsychError
from bide.i18n.row_values import decoded
from bide.i18n.trees import Tree, freeze, merged

#: First parts of keys that are no texts of the application: the words of Bide's own screens, and the
#: settings of the engine.
SCREENS: Final = "bide"
RESERVED: Final = frozenset((SCREENS, "i18n"))

Versions = Mapping[str, int]


class TextRow(NamedTuple):
    """A row of the table, as far as lookups need it."""

    locale: str
    key: str
    value: str | None
    is_proc: Any = False


class Snapshot(NamedTuple):
    """Texts by locale. `versions` None: nobody counts changes (the tables were not migrated).
    `prepared`: locales that are edited already and served to nobody yet."""

    versions: Versions | None
    trees: Mapping[str, Tree]
    prepared: frozenset[str] = frozenset()

    def locales(self) -> tuple[str, ...]:
        """Those that are public and have texts of the application."""
        return tuple(
            locale
            for locale, tree in self.trees.items()
            if locale not in self.prepared and not RESERVED.issuperset(tree)
        )

    def patched(
        self, versions: Versions, heads: Iterable[tuple[str, str]], rows: Iterable[TextRow]
    ) -> Snapshot:
        """The next snapshot: below each (locale, first part) nothing but `rows`."""
        fresh, trees = trees_of(rows), dict(self.trees)
        for locale, head in heads:
            tree = dict(trees.get(locale, {}))
            tree.pop(head, None)
            if head in fresh.get(locale, {}):
                tree[head] = fresh[locale][head]
            trees[locale] = tree
        left = {locale: tree for locale, tree in trees.items() if tree}
        return Snapshot(versions, left, self.prepared)


NOTHING = Snapshot(None, {})


def trees_of(rows: Iterable[TextRow]) -> dict[str, Tree]:
    """Rows in the order of their ids as trees: the first of two for one key wins; where a text
    stands among those below it, those below it win, in whatever order they come."""
    planting = _Planting()
    for row in rows:
        value = _value(row)
        if value is not None and row.key:
            planting.put(row.locale, row.key, value)
    return {locale: tree for locale, tree in planting.trees.items() if tree}


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of a flat key."""
    return tuple(map(_part, filter(None, key.split("."))))


def _part(text: str) -> str:
    return sys.intern(canonical(text.replace(ESCAPED_DOT, ".")))


def _value(row: TextRow) -> Any:
    """None also for what is Ruby code, which nobody here runs, and for what cannot be read."""
    if row.value is None or row.is_proc not in (0, None, False, b"\x00", "f", "0"):
        return None
    try:
        value = decoded(row.value)
        if type(value) is str:
            return value
        return freeze({"": value})[""]
    except (PsychError, TextError) as error:
        events.emit("text_unreadable", locale=row.locale, key=row.key, error=error)
        return None


class _Planting:
    """Trees that grow text by text; remembers where those stand that have their first parts in common."""

    def __init__(self) -> None:
        self.trees: dict[str, Tree] = {}
        self._nodes: dict[tuple[str, str], Tree] = {}

    def put(self, locale: str, key: str, value: Any) -> None:
        """Let a text stand at its key."""
        above, _, last = key.rstrip(".").rpartition(".")
        if not last:
            return
        node = self._nodes.get((locale, above))
        if node is None:
            node = self._nodes[locale, above] = self._node(locale, above)
        part = _part(last)
        old = node.get(part)
        if old is None:
            node[part] = value
        elif isinstance(old, dict) and isinstance(value, dict):
            node[part] = merged(value, old)
            # What stood below is a copy now.
            self._nodes.clear()

    def _node(self, locale: str, above: str) -> Tree:
        node = self.trees.setdefault(sys.intern(locale), {})
        for part in parts_of(above):
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
            node = below
        return node
