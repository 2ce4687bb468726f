"""Texts on their way out: which ones, in which order, with their source beside them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bide.i18n.exchange.entries import Entry
from bide.i18n.inventory.catalogue import Catalogue


def exported(
    catalogue: Catalogue,
    locales: Iterable[str],
    *,
    sources: Mapping[str, Any],
    only_missing: bool = False,
    below: str = "",
) -> Iterator[Entry]:
    """The texts of the locales, in the order of their files; what is no text (a callable) is left out.

    `sources`: the flat texts of the source language. `only_missing`: those that a translator must still write, without a value. `below`: only the texts
    of one namespace.
    """
    for locale in locales:
        values = catalogue.flat(locale)
        wanted = catalogue.missing(locale) if only_missing else values
        for key in wanted:
            if below and not f"{key}.".startswith(f"{below}."):
                continue
            value = None if only_missing else values[key]
            if not callable(value) and (only_missing or value is not None):
                yield Entry(locale, key, value, _source(sources, key))


def _source(sources: Mapping[str, Any], key: str) -> Any:
    """The source text; for a plural form that the source language has not, its `other`."""
    above, _, _ = key.rpartition(".")
    found = sources.get(key, sources.get(f"{above}.other"))
    return None if callable(found) else found
