"""What is missing, unused or wrong, and how far each language is, as rows for commands and screens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from bide.errors import InvalidLocale
from bide.i18n.backends.database import databases
from bide.i18n.editing.checks import check
from bide.i18n.editing.findings import Finding
from bide.i18n.inventory.catalogue import ENGINE, Catalogue
from bide.i18n.inventory.usage import Usage
from bide.i18n.keys import Key
from bide.i18n.rows import Rows
from bide.i18n.side_tables.uses import UseRows
from bide.i18n.translator import I18n


class MissingText(NamedTuple):
    """A text that a locale does not have, and what the source language says."""

    locale: str
    key: str
    source: Any


class AskedText(NamedTuple):
    """A key that the program asked for in vain, as far as that was recorded."""

    locale: str
    key: str
    names: tuple[str, ...]
    place: str
    first_seen: datetime
    last_seen: datetime


class CheckedText(NamedTuple):
    """A finding about a text."""

    locale: str
    key: str
    source: Any
    value: Any
    finding: Finding


class Progress(NamedTuple):
    """How far a language is: of the `wanted` texts so many are `translated`."""

    locale: str
    texts: int
    wanted: int
    translated: int
    errors: int
    warnings: int

    @property
    def percent(self) -> float:
        """The share that is translated; 100 only when nothing is missing."""
        return 100.0 if not self.wanted else int(1000 * self.translated / self.wanted) / 10


def locales_of(catalogue: Catalogue, named: Iterable[str]) -> list[str]:
    """The locales that were named (de_AT also finds de-AT), or all but the source language.

    Raises InvalidLocale for one without texts.
    """
    known, chosen = catalogue.locales, []
    for name in named:
        spelled = name if name in known else name.replace("_", "-")
        if spelled not in known:
            raise InvalidLocale(name)
        chosen.append(spelled)
    return chosen or [locale for locale in known if locale != catalogue.source]


def missing(catalogue: Catalogue, locales: Iterable[str]) -> Iterator[MissingText]:
    """Every text that the source language has and a locale has not."""
    for locale in locales:
        for key, source in catalogue.missing(locale).items():
            yield MissingText(locale, key, source)


def asked(i18n: I18n, catalogue: Catalogue, locales: Iterable[str]) -> Iterator[AskedText]:
    """The keys that were asked for and have no text yet, with where and when (of `Missing(...,
    database.record)`)."""
    for locale in locales:
        there = {key for key, value in catalogue.flat(locale).items() if value is not None}
        for rows in _rows(i18n):
            for one in rows.database.read(partial(UseRows(rows).missing, locale=locale)):
                if one.key not in there:
                    yield AskedText(locale, *one)


def used(i18n: I18n) -> set[str]:
    """The keys whose use was recorded while programs ran (of `Used(..., database.note_use)`)."""
    return {
        key for rows in _rows(i18n) for key in rows.database.read(UseRows(rows).all)
    }  # fmt: skip


def _rows(i18n: I18n) -> Iterator[Rows]:
    for database in databases(i18n.backend):
        if database.table_exists():
            yield database.live.rows


def unused(
    catalogue: Catalogue, usage: Usage, kept: Iterable[str] = (), seen: Collection[str] = ()
) -> Iterator[str]:
    """Keys of the source language that no code names: not themselves, not by a namespace around
    them, not by a link. Those of the engine, those below one of `kept`, and those `seen` in use are
    left out."""
    units = catalogue.units(catalogue.source)
    linked = {str(value) for value in units.values() if isinstance(value, Key)}
    spared = tuple(f"{name}." for name in (*ENGINE, *kept))
    for key in units:
        below_link = any(key == link or key.startswith(f"{link}.") for link in linked)
        named = below_link or key in seen or usage.names(key)
        if not named and not f"{key}.".startswith(spared):
            yield key


def checked(catalogue: Catalogue, locales: Iterable[str]) -> Iterator[CheckedText]:
    """What is wrong with the texts of each locale, compared with the source language."""
    sources = catalogue.units(catalogue.source)
    for locale in locales:
        for key, value in catalogue.units(locale).items():
            source = sources.get(key)
            if callable(value) or callable(source):
                continue
            for finding in check(source, value, locale=locale, patterns=catalogue.patterns):
                yield CheckedText(locale, key, source, value, finding)


def progress(catalogue: Catalogue, locales: Iterable[str]) -> Iterator[Progress]:
    """How far each locale is."""
    for locale in locales:
        wanted, lacking = catalogue.wanted(locale), catalogue.missing(locale)
        findings = [each.finding.severity for each in checked(catalogue, [locale])]
        yield Progress(
            locale,
            sum(_texts(value) for value in catalogue.units(locale).values()),
            len(wanted),
            len(wanted) - len(lacking),
            findings.count("error"),
            findings.count("warning"),
        )


def _texts(value: Any) -> int:
    return len(value) if isinstance(value, Mapping) else value is not None
