"""Text in ASCII: Latin letters by a table, others by a locale's own rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bide.errors import InvalidTextArgument
from bide.i18n.keys import Key

Transliteration = Callable[[str, Any], str]

_LETTERS = {
    "A": "ÀÁÂÃÄÅĀĂĄ", "AE": "Æ", "C": "ÇĆĈĊČ", "D": "ÐĎĐ", "E": "ÈÉÊËĒĔĖĘĚ", "G": "ĜĞĠĢ",
    "H": "ĤĦ", "I": "ÌÍÎÏĨĪĬĮİ", "IJ": "Ĳ", "J": "Ĵ", "K": "Ķ", "L": "ĹĻĽĿŁ", "N": "ÑŃŅŇ",
    "NG": "Ŋ", "O": "ÒÓÔÕÖØŌŎŐ", "OE": "Œ", "R": "ŔŖŘ", "S": "ŚŜŞŠ", "SS": "ẞ", "T": "ŢŤŦ",
    "Th": "Þ", "U": "ÙÚÛÜŨŪŬŮŰŲ", "W": "Ŵ", "Y": "ÝŶŸ", "Z": "ŹŻŽ",
    "a": "àáâãäåāăą", "ae": "æ", "c": "çćĉċč", "d": "ðďđ", "e": "èéêëēĕėęě", "g": "ĝğġģ",
    "h": "ĥħ", "i": "ìíîïĩīĭįı", "ij": "ĳ", "j": "ĵ", "k": "ķĸ", "l": "ĺļľŀł", "n": "ñńņň",
    "'n": "ŉ", "ng": "ŋ", "o": "òóôõöøōŏő", "oe": "œ", "r": "ŕŗř", "s": "śŝşš", "ss": "ß",
    "t": "ţťŧ", "th": "þ", "u": "ùúûüũūŭůűų", "w": "ŵ", "y": "ýÿŷ", "z": "źżž",
}  # fmt: skip

TABLE: Mapping[str, str] = MappingProxyType(
    {letter: ascii_ for ascii_, letters in _LETTERS.items() for letter in letters}
)


def transliterator(rule: Any = None) -> Transliteration:
    """A function (text, replacement) for a locale's rule: a dict added to the table, or a callable.

    Raises InvalidTextArgument for any other rule.
    """
    if callable(rule):
        return lambda text, _replacement: str(rule(text))
    if rule is not None and not isinstance(rule, Mapping):
        raise InvalidTextArgument(f"{rule!r} is no transliteration rule; use a dict or a callable")
    table = {**TABLE, **{str(key): str(value) for key, value in (rule or {}).items()}}
    return lambda text, replacement: _replaced(table, text, replacement)


def _replaced(table: Mapping[str, str], text: str, replacement: Any) -> str:
    if not isinstance(text, str):
        raise InvalidTextArgument(f"{text!r} is no text; decode bytes first")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidTextArgument(f"{text!r} holds half a character (a lone surrogate)")
    keep = isinstance(replacement, Key) and replacement == "none"
    other = "?" if replacement is None else str(replacement)
    return "".join(
        character if character < "\x80" else table.get(character) or (character if keep else other)
        for character in text
    )
