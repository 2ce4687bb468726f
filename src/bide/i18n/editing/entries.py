"""A tree of texts as what people edit: one entry per key, plural forms together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bide.i18n.editing.forms import FORMS, is_plural
from bide.i18n.keys import ESCAPED_DOT, Key

NOTHING: Final[Mapping[str, Any]] = {}


def entries(
    prefix: str, value: Any, source: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:  # fmt: skip
    """Key -> value of every text at and below a key; a value is a text, a number, a list, a link,
    or a mapping of plural forms. What `source` has plural forms for are forms, incomplete ones too.
    Callables are the program's own."""
    found: dict[str, Any] = {}
    # A list instead of recursion: rows of other programs may be nested as deeply as keys are long.
    waiting = [(prefix, value)]
    while waiting:
        above, value = waiting.pop()
        if isinstance(value, Mapping) and not _are_forms(value, source.get(above)):
            waiting += _unpacked(found, above, value)
        elif value is not None and (isinstance(value, Key) or not callable(value)):
            found[above] = value
    return found


def _unpacked(found: dict[str, Any], above: str, tree: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Take the plain texts out of a tree; what is left in it, with its keys."""
    left, prefix = [], f"{above}."
    for part, below in tree.items():
        key = prefix + (part if "." not in part else part.replace(".", ESCAPED_DOT))
        if type(below) is str:
            found[key] = below
        else:
            left.append((key, below))
    return left


def _are_forms(value: Mapping[str, Any], source: Any) -> bool:
    return is_plural(value) or (isinstance(source, Mapping) and FORMS.issuperset(value))


def at(tree: Any, key: str) -> Any:
    """The value of a flat key in a tree, or None."""
    for part in key.split("."):
        tree = tree.get(part.replace(ESCAPED_DOT, ".")) if isinstance(tree, Mapping) else None
    return tree


def head(key: str) -> str:
    """The first part of a key."""
    return key.partition(".")[0]


def base(key: str) -> str:
    """The key whose form `key` would be: `users.count` of `users.count.one`, else the key."""
    above, _, last = key.rpartition(".")
    return above if above and last in FORMS else key


def row_keys(key: str) -> list[str]:
    """The keys of all rows that the text of `key` may consist of."""
    return [key, *(f"{key}.{form}" for form in sorted(FORMS))]


def shown(value: Any) -> str:
    """A value in one line, for lists and searches."""
    if isinstance(value, Mapping):
        return " · ".join(shown(each) for each in value.values() if each is not None)
    if isinstance(value, (list, tuple)):
        return ", ".join(shown(each) for each in value if each is not None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"→ {value}" if isinstance(value, Key) else str(value)
