"""Trees of texts: frozen when stored, merged without touching the old tree, copied when handed out."""

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping
from typing import Any

from bide.errors import InvalidTextArgument
from bide.i18n.keys import BooleanPart, IntegerPart, Key, canonical, key_text

Tree = dict[str, Any]

DEEPEST = 100
MOST = 2_000_000


class Freezer:
    """Copies data from outside into a tree of text keys, refusing what can be no text."""

    def __init__(self) -> None:
        self.nodes = 0

    def tree(self, data: Mapping[Any, Any], depth: int = 0) -> Tree:
        """A frozen copy of a dict: keys as text, lists as tuples."""
        return {self._part(key): self.value(value, depth + 1) for key, value in data.items()}

    def value(self, value: Any, depth: int = 0) -> Any:
        """A frozen copy of any value. Raises InvalidTextArgument when it is too deep or too big."""
        self.nodes += 1
        if depth > DEEPEST or self.nodes > MOST:
            raise InvalidTextArgument(
                f"texts are nested deeper than {DEEPEST} or hold more than {MOST} values"
            )
        if isinstance(value, Mapping):
            return self.tree(value, depth)
        if isinstance(value, (list, tuple)):
            return tuple(self.value(each, depth + 1) for each in value)
        if isinstance(value, (bytes, bytearray)):
            raise InvalidTextArgument(f"{value!r} is no text; decode it first, e.g. with .decode()")
        return value

    def _part(self, key: object) -> str:
        text = key_text(key)
        if isinstance(key, bool):
            return BooleanPart(text)
        if isinstance(key, int):
            return IntegerPart(text)
        return sys.intern(canonical(text))


def freeze(data: Mapping[Any, Any]) -> Tree:
    """A frozen copy of nested texts; see Freezer."""
    return Freezer().tree(data)


def merged(below: Tree, above: Tree) -> Tree:
    """A new tree: dicts of both are merged, anything else of `above` replaces that of `below`."""
    tree = dict(below)
    for part, value in above.items():
        old = tree.get(part)
        both = isinstance(old, dict) and isinstance(value, dict)
        tree[part] = merged(old, value) if both else value  # type: ignore[arg-type]
    return tree


def filled(first: Mapping[Any, Any], second: Mapping[Any, Any]) -> dict[Any, Any]:
    """`first`, with its gaps and its None values filled from `second`, deeply."""
    result = dict(second)
    for part, value in first.items():
        other = result.get(part)
        if isinstance(value, Mapping) and isinstance(other, Mapping):
            result[part] = filled(value, other)
        elif value is not None or part not in result:
            result[part] = value
    return result


def handed_out(value: Any) -> Any:
    """A copy for the caller: dicts and lists of his own, integers and booleans as keys again."""
    kind = type(value)
    if kind is dict:
        return {_key(part): handed_out(below) for part, below in value.items()}
    if kind is tuple or kind is list:
        return [handed_out(each) for each in value]
    # A result that carries metadata is copied with it.
    if isinstance(value, list):
        copied = copy.copy(value)
        copied[:] = [handed_out(each) for each in value]
        return copied
    if isinstance(value, dict):
        carrier = copy.copy(value)
        carrier.update({key: handed_out(below) for key, below in value.items()})
        return carrier
    return value


def _key(part: object) -> object:
    if isinstance(part, IntegerPart):
        return int(part)
    if isinstance(part, BooleanPart):
        return part == "true"
    return part if not isinstance(part, Key) else str(part)
