"""Texts cut into pieces, so that placeholders, markup and line breaks are seen as such."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bide.i18n.keys import ESCAPED_DOT, Key

_HOLDER: Final = r"%%|%\{[\w|]+\}|%<\w+>[^\s\w]*\d*\.?\d*[a-zA-Z]"
_HOLDERS: Final = re.compile(_HOLDER)
_MARKS: Final = re.compile(
    rf"(?P<holder>{_HOLDER})"
    r"|(?P<tag></?[a-zA-Z][^<>]{0,200}>)"
    r"|(?P<break>\n)|(?P<space>^[ \t]+|[ \t]+$|\u00a0|[ \t]{2,})"
)
_SHOWN: Final = {"break": "⏎", "space": "␣"}


class Mark(NamedTuple):
    """A piece: `text`, `holder`, `tag`, `break` or `space`."""

    kind: str
    text: str


class Part(NamedTuple):
    """A text, or one form or entry of it with its name."""

    name: str
    text: str
    marks: list[Mark]


def marked(text: str) -> list[Mark]:
    """The pieces of a text."""
    pieces, end = [], 0
    for match in _MARKS.finditer(text):
        if match.start() > end:
            pieces.append(Mark("text", text[end : match.start()]))
        kind = str(match.lastgroup)
        shown = "".join(_SHOWN[kind] for _ in match[0]) if kind in _SHOWN else match[0]
        pieces.append(Mark(kind, shown))
        end = match.end()
    return [*pieces, Mark("text", text[end:])] if end < len(text) else pieces


def parts(value: Any) -> list[Part]:
    """A value as people read it: one part, or one for each form or entry."""
    if isinstance(value, Mapping):
        return [_part(str(form), text) for form, text in value.items() if text is not None]
    if isinstance(value, (list, tuple)):
        return [_part(str(place), each) for place, each in enumerate(value, 1) if each is not None]
    return [] if value is None else [_part("", value)]


def _part(name: str, value: Any) -> Part:
    text = plain(value)
    return Part(name, text, marked(text))


def plain(value: Any) -> str:
    """A single value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Key):
        return f"→ {value}"
    return value if isinstance(value, str) else str(value)


def holders(value: Any) -> list[str]:
    """The placeholders of a text, each once, to be put in by a click."""
    found = [each for part in parts(value) for each in _HOLDERS.findall(part.text)]
    return [each for each in dict.fromkeys(found) if each != "%%"]


def shown_key(key: str) -> str:
    """A key as people read it."""
    return key.replace(ESCAPED_DOT, "·")
