"""Languages: which there are, what they are called, and adding one."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from babel import Locale, UnknownLocaleError

from bide.errors import InvalidTextArgument
from bide.i18n.editing.saving import Saving
from bide.i18n.editing.sources import Sources
from bide.i18n.locales import parents
from bide.i18n.side_tables.languages import PREPARED, PUBLIC, LanguageRows

_TAG: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,5}")


class Language(NamedTuple):
    """A language of the texts. `state`: `public`, or `prepared` while no reader gets it; `added`:
    by people, and not by files. `direction`: `ltr` or `rtl`."""

    locale: str
    state: str
    added: bool
    direction: str


class Languages:
    """The languages of some sources."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self._sources: Sources = saving.sources
        self._rows = LanguageRows(saving.sources.database.live.rows)

    def all(self) -> list[Language]:
        """Every language: the source first, then by tag."""
        states = self._sources.database.live.rows.database.read(self._rows.states)
        known = self._sources.locales()
        tags = known if self._sources.own else [*known, *sorted(states.keys() - set(known))]
        return [
            Language(tag, states.get(tag, PUBLIC), tag in states, direction(tag)) for tag in tags
        ]

    def add(self, locale: Any, author: str, *, state: str = PREPARED) -> None:
        """Add a language, in preparation at first: its texts are kept, and served to nobody.
        Raises InvalidTextArgument for what is no tag of a language, or there already."""
        if not isinstance(locale, str) or not _TAG.fullmatch(locale) or _babel(locale) is None:
            raise InvalidTextArgument(
                f"{locale!r} is no language; use a tag such as 'fr', 'pt-BR' or 'zh-Hant'"
            )
        there = {language.locale.lower(): language.locale for language in self.all()}
        if locale.lower() in there:
            raise InvalidTextArgument(f"the language {there[locale.lower()]} is there already")
        self._put(locale, state, author)

    def publish(self, locale: str, author: str) -> None:
        """Let readers have a language that was added."""
        self._put(self._added(locale), PUBLIC, author)

    def withdraw(self, locale: str, author: str) -> None:
        """Take a language that was added back from readers; its texts stay."""
        self._put(self._added(locale), PREPARED, author)

    def _put(self, locale: str, state: str, author: str) -> None:
        self._saving.transaction(author, lambda c: self._rows.put(c, locale, state, author))

    def _added(self, locale: str) -> str:
        if not any(each.locale == locale and each.added for each in self.all()):
            raise InvalidTextArgument(f"the language {locale!r} was not added here")
        return locale


def name(locale: str, viewer: str) -> str:
    """What a language is called in the viewer's own; the tag where nobody knows."""
    found, theirs = _babel(locale), _babel(viewer)
    return (found and found.get_display_name(theirs)) or locale


def own_name(locale: str) -> str:
    """What a language calls itself."""
    return name(locale, locale)


def direction(locale: str) -> str:
    """`rtl` for languages that are written from right to left, else `ltr`."""
    found = _babel(locale)
    return found.text_direction if found else "ltr"


def _babel(locale: str) -> Locale | None:
    for tag in parents(locale):
        try:
            return Locale.parse(tag.replace("_", "-"), sep="-")
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return None
