"""Gettext's functions over an I18n: the message is the key and the default."""

from __future__ import annotations

from typing import Any

from bide.i18n.po import SEPARATOR
from bide.i18n.translator import I18n


class GettextFunctions:
    """`_ = GettextFunctions(i18n).gettext`. `|` in a message is its scope; dots mean nothing."""

    def __init__(self, i18n: I18n) -> None:
        self._i18n = i18n

    def N_(self, message: str) -> str:  # noqa: N802 - gettext's name
        """Marks a message for extraction."""
        return message

    def gettext(self, message: str, **options: Any) -> Any:
        """The message's text, or the message."""
        options.setdefault("default", message)
        return self._i18n.t(message, separator=SEPARATOR, **options)

    _ = gettext

    def sgettext(self, message: str, separator: str = SEPARATOR, **options: Any) -> Any:
        """A message with a scope before the last separator; the default is what follows it."""
        *scope, last = message.split(separator)
        return self._i18n.t(last, scope=scope, default=last, separator=SEPARATOR, **options)

    def pgettext(self, context: str, message: str, **options: Any) -> Any:
        """A message in a context."""
        return self.sgettext(f"{context}{SEPARATOR}{message}", **options)

    def ngettext(self, singular: Any, plural: Any = None, count: Any = None) -> Any:
        """A message with a count: `ngettext("car", "cars", 2)` or `ngettext(["car", "cars"], 2)`."""
        return self.nsgettext(singular, plural, count)

    def nsgettext(
        self, singular: Any, plural: Any = None, count: Any = None, separator: str = SEPARATOR
    ) -> Any:
        """A message with scope and count."""
        if isinstance(singular, (list, tuple)):
            (singular, plural), count = singular, plural
        *scope, last = singular.split(separator)
        return self._i18n.t(
            last,
            scope=scope,
            default={"one": last, "other": plural},
            count=count,
            separator=SEPARATOR,
        )

    def npgettext(
        self, context: str, singular: Any, plural: Any = None, count: Any = None
    ) -> Any:  # fmt: skip
        """A message with context and count."""
        if isinstance(singular, (list, tuple)):
            (singular, plural), count = singular, plural
        return self.nsgettext(f"{context}{SEPARATOR}{singular}", plural, count)
