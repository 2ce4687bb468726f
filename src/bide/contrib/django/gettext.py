"""Django's gettext, {% translate %} among it, answered from Bide's texts first."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.utils.translation import trans_real

from bide.errors import TextError
from bide.i18n.po import SEPARATOR
from bide.i18n.translator import I18n

#: gettext's sign between a context and a message.
CONTEXT = "\x04"
_NOTHING = "\x00no such text"


class Texts:
    """A language of Django's: Bide's texts of that language, else what Django's files say.

    A message is the key of its text, a context stands before it with `|`; plural forms are named as in
    CLDR, and `count` chooses among them.
    """

    def __init__(self, language: str, inner: Any, i18n: I18n) -> None:
        self._language, self._inner, self._i18n = language, inner, i18n

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def gettext(self, message: str) -> str:
        """The text of a message."""
        found = self._text(message)
        return self._inner.gettext(message) if found is None else found

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        """The text of a message with a number."""
        found = self._text(singular, count=number)
        return self._inner.ngettext(singular, plural, number) if found is None else found

    def _text(self, message: str, **options: Any) -> str | None:
        locale = self._locale()
        if locale is None or not message:
            return None
        key = message.replace(CONTEXT, SEPARATOR)
        try:
            found = self._i18n.t(
                key, locale=locale, separator=SEPARATOR, default=_NOTHING, **options
            )
        except TextError:  # a text that cannot be used must not keep a page from being shown
            return None
        return found if isinstance(found, str) and found != _NOTHING else None

    def _locale(self) -> str | None:
        """The language as the texts call it; None when there are none in it."""
        known = {str(name).lower(): str(name) for name in self._i18n.available_locales}
        return known.get(self._language.lower())


def install(i18n: I18n) -> None:
    """Let Django ask `i18n` before its own files, in this process."""
    plain = getattr(trans_real.translation, "of_django", trans_real.translation)

    @cache
    def translation(language: str) -> Texts:
        return Texts(language, plain(language), i18n)

    translation.of_django = plain  # type: ignore[attr-defined]
    trans_real.translation = translation
    trans_real._default = None
