"""All texts of a table at one moment, as trees that never change, and the next moment made from it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from bide import events
from bide.errors import TextError
from bide.i18n.keys import ESCAPED_DOT, canonical
from bide.i18n.psych import PsychError
from bide.i18n.row_values import QUOTED, decoded
from bide.i18n.trees import Tree, freeze, merged

#: First parts of keys that are no texts of the application: the words of Bide's own screens, and the
#: settings of the engine.
SCREENS: Final = "bide"
RESERVED: Final = frozenset((SCREENS, "i18n"))

Versions = Mapping[str, int]
#: A row of the table, as far as lookups need it: locale, key, value, and whether it is Ruby code.
TextRow = tuple[str, str, str, Any]


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
    known, put, simple, name = planting.nodes.get, planting.put, QUOTED.fullmatch, sys.intern
    # A process reads all texts before it says the first one: what most rows are takes few steps.
    for locale, key, value, is_proc in rows:
        line = None if is_proc else simple(value)
        text = line[1] if line else _value(locale, key, value, is_proc)
        if text is None:
            continue
        above, _, last = key.rpartition(".")
        node = known((locale, above))
        if (
            node is None
            or last[:1] in _ODD
            or ESCAPED_DOT in last
            or node.setdefault(name(last), text) is not text
        ):
            put(locale, key, text)
    return {locale: tree for locale, tree in planting.trees.items() if tree}


def parts_of(key: str) -> tuple[str, ...]:
    """The parts of a flat key."""
    return tuple(map(_part, filter(None, key.split("."))))


def _part(text: str) -> str:
    return sys.intern(canonical(text.replace(ESCAPED_DOT, ".")))


#: What numbers begin with, which have one spelling, and an empty part.
_ODD: Final = frozenset(("", *"+-0123456789"))


def _value(locale: str, key: str, text: str, is_proc: Any) -> Any:
    """None for what is Ruby code, which nobody here runs, and for what cannot be read."""
    if is_proc not in (0, None, False, b"\x00", "f", "0"):
        return None
    try:
        value = decoded(text)
        if type(value) is str:
            return value
        return freeze({"": value})[""]
    except (PsychError, TextError) as error:
        events.emit("text_unreadable", locale=locale, key=key, error=error)
        return None


class _Planting:
    """Trees that grow text by text; remembers where those stand that have their first parts in common."""

    def __init__(self) -> None:
        self.trees: dict[str, Tree] = {}
        self.nodes: dict[tuple[str, str], Tree] = {}

    def put(self, locale: str, key: str, value: Any) -> None:
        """Let a text stand at its key."""
        above, _, last = key.rstrip(".").rpartition(".")
        if not last:
            return
        node = self.nodes.get((locale, above))
        if node is None:
            node = self.nodes[locale, above] = self._node(locale, above)
        part = _part(last)
        old = node.setdefault(part, value)
        if old is not value and isinstance(old, dict) and isinstance(value, dict):
            node[part] = merged(value, old)
            # What stood below is a copy now.
            self.nodes.clear()

    def _node(self, locale: str, above: str) -> Tree:
        node = self.trees.setdefault(sys.intern(locale), {})
        for part in parts_of(above):
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
            node = below
        return node
