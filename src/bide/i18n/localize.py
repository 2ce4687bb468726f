"""Dates and times in the reader's language: named formats, and names of days and months."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, time
from typing import Any

from bide.errors import InvalidTextArgument, MissingTranslation
from bide.i18n.keys import Key
from bide.i18n.strftime import TOKEN, strftime, weekday
from bide.i18n.values import inspected

# ask(key, options): the text of a key in the right locale; raises MissingTranslation.
Ask = Callable[[Key, dict[str, Any]], Any]

_NAMES = {"a": "date.abbr_day_names", "A": "date.day_names", "b": "date.abbr_month_names",
          "B": "date.month_names"}  # fmt: skip


def localized(ask: Ask, moment: Any, format_: object, options: dict[str, Any]) -> str:
    """A date or time as text. A Key names a format (`date.formats.NAME`, `time.formats.NAME`),
    a string is the pattern.

    A plain string that names a format of the locale means that format too. Missing names of days
    or months return the message; a missing named format raises MissingTranslation.
    """
    if moment is None and "default" in options:
        return options["default"]  # type: ignore[no-any-return]
    if not isinstance(moment, (date, time)):
        raise InvalidTextArgument(
            f"Object must be a Date, DateTime or Time object. {inspected(moment)} given."
        )
    pattern = _pattern(ask, moment, format_, options)
    return strftime(moment, _with_names(ask, moment, str(pattern)))


def _pattern(ask: Ask, moment: Any, format_: object, options: dict[str, Any]) -> object:
    if not isinstance(format_, (Key, str)):
        return format_
    kind = "time" if hasattr(moment, "second") else "date"
    key = Key(f"{kind}.formats.{format_}")
    if isinstance(format_, Key):
        return ask(key, {**options, "object": moment})
    if not re.fullmatch(r"\w+", format_):
        return format_
    try:
        named = ask(key, {"object": moment, "fallback": options.get("fallback", True)})
    except MissingTranslation:
        return format_
    return named if isinstance(named, str) else format_


def _with_names(ask: Ask, moment: Any, pattern: str) -> str:
    try:
        return TOKEN.sub(lambda match: _name(ask, moment, match, pattern), pattern)
    except MissingTranslation as missing:
        return missing.message.replace("%", "%%")


def _name(ask: Ask, moment: Any, match: re.Match[str], pattern: str) -> str:
    flags, width, colons, letter = match.groups()
    if letter not in "aAbBpP" or flags not in ("", "^") or width or colons:
        return match[0]
    options = {"format": pattern}
    if letter in "pP":
        if flags:
            return ""
        half = "am" if getattr(moment, "hour", 0) < 12 else "pm"
        name = str(ask(Key(f"time.{half}"), options))
        name = name.upper() if letter == "p" else name.lower()
    elif not isinstance(moment, date):
        return match[0]
    else:
        index = weekday(moment) if letter in "aA" else moment.month
        name = _member(ask(Key(_NAMES[letter]), options), index, _NAMES[letter])
    return (name.upper() if flags else name).replace("%", "%%")


def _member(names: Any, index: int, key: str) -> str:
    if not isinstance(names, (list, tuple)) or index >= len(names):
        raise InvalidTextArgument(
            f"{key} must be a list that has a member {index}; it is {names!r}"
        )
    return str(names[index] or "")
