"""Flat entries as nested data again, for formats that nest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bide.i18n.exchange.entries import Entry
from bide.i18n.keys import ESCAPED_DOT


def nested(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """Texts by locale and by the parts of their keys. What is not translated is left out; of a text
    and others below it the last stays."""
    texts: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.value is not None:
            _put(texts.setdefault(entry.locale, {}), entry.key, entry.value)
    return texts


def _put(tree: dict[str, Any], key: str, value: Any) -> None:
    *above, last = (part.replace(ESCAPED_DOT, ".") for part in key.split("."))
    for part in above:
        below = tree.get(part)
        if not isinstance(below, dict):
            below = tree[part] = {}
        tree = below
    tree[last] = value
