"""Texts that are HTML: which they are, and how values are made safe before they are filled in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bide.errors import MissingTranslationData
from bide.i18n.config import RESERVED_NAMES
from bide.i18n.translator import I18n

_OPTIONS = RESERVED_NAMES | {"locale", "raise_"}


def is_html(key: object) -> bool:
    """Whether a key names HTML: its last part is `html`, or ends in `_html` (translations.md 1.13)."""
    last = str(key).rpartition(".")[2]
    return last == "html" or last.endswith("_html")


def translated(
    i18n: I18n, key: Any, options: Mapping[str, Any], escape: Callable[[Any], Any], safe: Callable[[Any], Any]
) -> Any:  # fmt: skip
    """A text for a page that escapes what is not marked as safe.

    The values of an HTML text are escaped and the result is `safe`; any other text, and the message of
    a missing one, is left for the page to escape.
    """
    if not is_html(key):
        return i18n.t(key, **options)
    values = {
        name: value if name in _OPTIONS or _is_count(name, value) else escape(value)
        for name, value in options.items()
    }
    try:
        found = i18n.t(key, **{**values, "raise_": True})
    except MissingTranslationData:
        return i18n.t(key, **options)
    return safe(found) if isinstance(found, str) else found


def _is_count(name: str, value: Any) -> bool:
    return name == "count" and isinstance(value, (int, float))
