"""Gettext's PO files as texts: contexts and `|` nest, plural forms get their names."""

from __future__ import annotations

from typing import Any, BinaryIO

from babel.messages.pofile import PoFileError, read_po

SEPARATOR = "|"
CONTEXT = "\x04"

_plural_keys: dict[str, tuple[str, ...]] = {"en": ("one", "other")}


def plural_keys(locale: str | None = None) -> Any:
    """The names of a locale's plural forms in PO order (English's for unknown ones); without an
    argument the whole table."""
    return dict(_plural_keys) if locale is None else _plural_keys.get(locale, _plural_keys["en"])


def register_plural_keys(locale: str, *keys: str) -> None:
    """Name the `msgstr[n]` of a locale's PO files, in order."""
    _plural_keys[locale] = keys


def read(file: BinaryIO, locale: str) -> dict[str, Any]:
    """The texts of a PO file. Untranslated and fuzzy messages are left out.

    Raises ValueError for a broken file or a wrong number of plural forms.
    """
    try:
        catalog = read_po(file, abort_invalid=True)
    except PoFileError as error:
        raise ValueError(str(error)) from error
    texts: dict[str, Any] = {}
    for message in catalog:
        if message.id and not message.fuzzy:
            _put(texts, *_entry(message, locale))
    return texts


def _entry(message: Any, locale: str) -> tuple[str, Any]:
    context = "" if message.context is None else message.context + SEPARATOR
    if isinstance(message.id, str):
        return context + message.id, message.string or None
    names = plural_keys(locale)
    if len(message.string) != len(names):
        raise ValueError(
            f"{message.id[0]!r} has {len(message.string)} plural forms, {locale} needs "
            f"{len(names)}: {', '.join(names)}; see register_plural_keys()"
        )
    forms = {name: text for name, text in zip(names, message.string, strict=True) if text}
    return context + message.id[0], forms or None


def _put(texts: dict[str, Any], key: str, value: Any) -> None:
    *above, last = key.split(SEPARATOR)
    node = texts
    for part in above:
        below = node.get(part)
        if not isinstance(below, dict):
            below = node[part] = {}
        node = below
    if value is not None:
        node[last] = value
