"""Locale tags, their parents, and the list of locales that a text is looked for in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from bide.errors import Disabled, InvalidLocale


@lru_cache(maxsize=1024)
def parents(tag: str) -> tuple[str, ...]:
    """The tag and what is left when parts are cut off its end: `de-AT` gives `de-AT`, `de`."""
    parts = tag.split("-")
    return tuple("-".join(parts[:size]) for size in range(len(parts), 0, -1))


def locale_name(locale: object) -> str:
    """A locale as text. Raises InvalidLocale for anything that is no non-empty string."""
    if not isinstance(locale, str) or not locale or len(locale) > 255 or "\0" in locale:
        raise InvalidLocale(locale)
    return str(locale)


@dataclass(frozen=True, slots=True)
class SimpleTag:
    """A locale tag cut at its hyphens."""

    tag: str

    @property
    def subtags(self) -> list[str]:
        """The parts, in order."""
        return self.tag.split("-")

    def to_list(self) -> list[str]:
        """The parts, in order."""
        return self.subtags

    @property
    def parent(self) -> SimpleTag | None:
        """The tag without its last part, or None."""
        above = self.parents
        return above[0] if above else None

    @property
    def parents(self) -> list[SimpleTag]:
        """All parents, the nearest first."""
        return self.self_and_parents[1:]

    @property
    def self_and_parents(self) -> list[SimpleTag]:
        """The tag and all its parents, the nearest first."""
        return [SimpleTag(tag) for tag in parents(self.tag)]

    def __str__(self) -> str:
        return self.tag


_RFC4646 = re.compile(
    r"""(?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4}|[a-z]{5,8})
    (?:-(?P<script>[a-z]{4}))?
    (?:-(?P<region>[a-z]{2}|\d{3}))?
    (?:-(?P<variant>[0-9a-z]{5,8}|[0-9][0-9a-z]{3}))?
    (?:-(?P<extension>[0-9a-wy-z](?:-[0-9a-z]{2,8})+))?
    (?:-(?P<privateuse>x(?:-[0-9a-z]{1,8})+?))?
    (?:-(?P<grandfathered>i(?:-[0-9a-z]{2,8}){1,2}))?""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Rfc4646Tag:
    """A tag of RFC 4646 in its seven parts, with their usual letter case."""

    language: str | None = None
    script: str | None = None
    region: str | None = None
    variant: str | None = None
    extension: str | None = None
    privateuse: str | None = None
    grandfathered: str | None = None

    @classmethod
    def parse(cls, tag: str) -> Rfc4646Tag | None:
        """The parts of a tag, or None when it is no tag of RFC 4646."""
        match = _RFC4646.fullmatch(tag)
        if match is None:
            return None
        parts = match.groupdict()
        for name, case in (("language", str.lower), ("script", str.title), ("region", str.upper),
                           ("variant", str.lower)):  # fmt: skip
            parts[name] = parts[name] and case(parts[name])
        return cls(**parts)

    def to_list(self) -> list[str | None]:
        """The seven parts in order; an absent one is None."""
        return [self.language, self.script, self.region, self.variant, self.extension,
                self.privateuse, self.grandfathered]  # fmt: skip

    @property
    def subtags(self) -> list[str]:
        """The parts that are there, in order."""
        return [part for part in self.to_list() if part]

    @property
    def parent(self) -> Rfc4646Tag | None:
        """The tag without its last part, or None."""
        here = [index for index, part in enumerate(self.to_list()) if part]
        if len(here) < 2:
            return None
        parts = self.to_list()
        parts[here[-1]] = None
        return Rfc4646Tag(*parts)

    @property
    def self_and_parents(self) -> list[Rfc4646Tag]:
        """The tag and all its parents, the nearest first."""
        above = self.parent
        return [self, *(above.self_and_parents if above else ())]

    def __str__(self) -> str:
        return "-".join(self.subtags)


def rfc4646_parents(tag: str) -> tuple[str, ...]:
    """The parents of a tag by RFC 4646, in their usual letter case; a bad tag has only itself."""
    parsed = Rfc4646Tag.parse(tag)
    return (tag,) if parsed is None else tuple(map(str, parsed.self_and_parents))


class LocaleFallbacks(Mapping[str, list[str]]):
    """For each locale the locales to look in: itself, its parents, mapped ones, then defaults.

    >>> LocaleFallbacks("en", map={"ca": "es-ES"})["ca"]
    ['ca', 'es-ES', 'es', 'en']

    `parents_of` replaces the cutting at hyphens, e.g. by `rfc4646_parents`.
    """

    def __init__(
        self,
        *defaults: str | Sequence[str],
        map: Mapping[str, str | Sequence[str]] | None = None,  # noqa: A002 - the gem's word
        parents_of: Callable[[str], Iterable[str]] = parents,
    ) -> None:
        self._parents_of = parents_of
        self._map: dict[str, list[str]] = {}
        self._lists: dict[str, list[str]] = {}
        self.defaults = _names(*defaults)
        for tag, targets in (map or {}).items():
            self.map(tag, targets)

    @property
    def defaults(self) -> list[str]:
        """The locales looked in last, with their parents."""
        return self._defaults

    @defaults.setter
    def defaults(self, defaults: Iterable[str]) -> None:
        self._defaults = list(dict.fromkeys(
            parent for tag in defaults for parent in self._parents_of(locale_name(tag))
        ))  # fmt: skip
        self._lists = {}

    def map(self, tag: str, targets: str | Sequence[str]) -> None:
        """Also look in `targets` (with their parents) for texts of `tag`."""
        self._map.setdefault(locale_name(tag), []).extend(_names(targets))
        self._lists = {}

    def __getitem__(self, locale: str) -> list[str]:
        if locale is False:  # type: ignore[comparison-overlap]
            raise Disabled("fallbacks")
        found = self._lists.get(locale_name(locale))
        if found is None:
            found = self._computed(str(locale))
            if len(self._lists) < 1000:
                self._lists[str(locale)] = found
        return list(found)

    def _computed(self, locale: str) -> list[str]:
        found: dict[str, None] = {}
        self._collect(locale, found, frozenset())
        return list(dict.fromkeys([*found, *self._defaults]))

    def _collect(self, locale: str, found: dict[str, None], seen: frozenset[str]) -> None:
        above = [tag for tag in self._parents_of(locale) if tag not in seen]
        found.update(dict.fromkeys(above))
        seen = seen | set(above)
        for tag in above:
            for target in self._map.get(tag, ()):
                if target not in seen:
                    self._collect(target, found, seen)

    def __contains__(self, locale: object) -> bool:
        return isinstance(locale, str)

    def __iter__(self) -> Iterator[str]:
        return iter(self._map)

    def __len__(self) -> int:
        return len(self._map) + len(self._defaults)

    def __repr__(self) -> str:
        return f"LocaleFallbacks(defaults={self._defaults!r}, map={self._map!r})"


def _names(*tags: str | Sequence[str]) -> list[str]:
    return [
        locale_name(name) for each in tags for name in ([each] if isinstance(each, str) else each)
    ]
