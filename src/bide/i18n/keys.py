"""Keys of texts: their parts, their flat form, and the tree of parts that texts are stored in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from bide.errors import InvalidTextArgument

ESCAPED_DOT = "\x01"
LONGEST = 10_000

_INTEGER = re.compile(r"[-+]?([1-9]\d{0,17}|0)", re.ASCII)


class Key(str):
    """The name of another text: as a value a link, as a default a key to try (a Ruby symbol)."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"Key({super().__repr__()})"


class IntegerPart(str):
    """A part of a key that was stored as an integer, and is handed out as one."""

    __slots__ = ()


class BooleanPart(str):
    """A part of a key that was stored as a boolean, and is handed out as one."""

    __slots__ = ()


def normalize_keys(
    locale: object, key: object, scope: object = None, separator: str = "."
) -> list[Key | int | bool]:
    """Locale, scope and key as one list of parts, typed as the i18n gem types them.

    >>> normalize_keys("en", "a.1", "s")
    [Key('en'), Key('s'), Key('a'), 1]
    """
    parts = [part for each in (locale, scope, key) for part in split(each, separator)]
    return [_typed(part) for part in parts]


def path(key: object, scope: object = None, separator: str = ".") -> tuple[str, ...]:
    """The parts of scope and key as they are stored: text only, integers in their shortest form."""
    if isinstance(key, str) and (scope is None or isinstance(scope, str)):
        return _path_of_text(str(key), None if scope is None else str(scope), separator)
    return tuple(canonical(part) for each in (scope, key) for part in split(each, separator))


@lru_cache(maxsize=8192)
def _path_of_text(key: str, scope: str | None, separator: str) -> tuple[str, ...]:
    return tuple(canonical(part) for each in (scope, key) for part in split(each, separator))


def split(key: object, separator: str = ".") -> list[str]:
    """The non-empty parts of a key, a scope, or (nested) lists of them."""
    if not separator:
        raise InvalidTextArgument("a separator must not be empty; the usual one is '.'")
    return [part for text in _texts(key) for part in text.split(separator) if part]


def _texts(key: object) -> Iterator[str]:
    if isinstance(key, (list, tuple)):
        for each in key:
            yield from _texts(each)
    elif key is not None:
        yield key_text(key)


def key_text(key: object) -> str:
    """A single key as text. Raises InvalidTextArgument for what can be no key."""
    if isinstance(key, bool):
        return "true" if key else "false"
    if isinstance(key, (int, float)):
        return str(key)
    if not isinstance(key, str):
        raise InvalidTextArgument(
            f"{key!r} can not be a key; pass a string, a Key, an integer, a boolean or a list"
        )
    if len(key) > LONGEST:
        raise InvalidTextArgument(
            f"a key of {len(key)} characters ({key[:40]!r}...) is longer than {LONGEST}"
        )
    return str(key)


def canonical(part: str) -> str:
    """One spelling per part: `+3` is `3`, `-0` is `0`, `01` stays as it is."""
    if _INTEGER.fullmatch(part):
        return str(int(part))
    return part


def _typed(part: str) -> Key | int | bool:
    if _INTEGER.fullmatch(part):
        return int(part)
    if part in ("true", "false"):
        return part == "true"
    return Key(part)


def normalize_flat_keys(key: object, scope: object = None, separator: str = ".") -> str:
    """Scope and key as one dotted text; literal dots become `\\x01` under another separator."""
    parts = list(_texts([scope, key]))
    if separator != ".":
        table = str.maketrans({".": ESCAPED_DOT, **dict.fromkeys(separator, ".")})
        parts = [part.translate(table) for part in parts]
    return ".".join(parts)


def flatten(
    data: Mapping[Any, Any], *, escape: bool = True, subtrees: bool = False
) -> dict[str, Any]:
    """Nested texts as one dict of dotted keys; `subtrees` also keeps the inner dicts."""
    return dict(_flat("", data, escape, subtrees))


def _flat(
    prefix: str, data: Mapping[Any, Any], escape: bool, subtrees: bool
) -> Iterator[tuple[str, Any]]:
    for name, value in data.items():
        part = key_text(name)
        flat = prefix + (part.replace(".", ESCAPED_DOT) if escape else part)
        if not isinstance(value, Mapping):
            yield flat, value
            continue
        if subtrees:
            yield flat, value
        yield from _flat(flat + ".", value, escape, subtrees)


def unflatten(flat: Mapping[str, Any]) -> dict[str, Any]:
    """The nested dict of dotted keys; `\\x01` becomes a dot again. Later keys win over earlier."""
    tree: dict[str, Any] = {}
    for key, value in flat.items():
        *above, last = [part.replace(ESCAPED_DOT, ".") for part in key.split(".")]
        node = tree
        for part in above:
            below = node.get(part)
            if not isinstance(below, dict):
                below = node[part] = {}
            node = below
        node[last] = value
    return tree
