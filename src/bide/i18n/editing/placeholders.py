"""Placeholders of a translation against those of the source text (translations.md 4.3, 6.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from bide.i18n.config import RESERVED_NAMES
from bide.i18n.editing.findings import ERROR, WARNING, Finding
from bide.i18n.interpolation import Slot, parse

#: Wider or more precise than this no text needs.
WIDEST: Final = 100

_NUMBERS: Final = re.compile(r"\d+")
_LETTERS: Final = {"d": "i", "u": "i", "E": "e", "G": "g", "X": "x", "B": "b"}
#: `%{na-me}`, `% {name}`, `%{name`, `%(name)s`: what people mean as placeholders.
_ALMOST: Final = re.compile(r"(?<!%)%(?:\s*\{[^{}%\n]{0,40}\}?|\s?\(\w{1,40}\)s?)")


class Allowed(NamedTuple):
    """What the source text says about placeholders. `names` None: nothing is known of them."""

    names: frozenset[str] | None
    formats: frozenset[tuple[str, str]]
    wanted: frozenset[str]
    patterns: tuple[str, ...] = ()


def slots(texts: Iterable[Any], patterns: tuple[str, ...] = ()) -> list[Slot]:
    """The placeholders in all of `texts`; what is no text has none."""
    return [
        part
        for text in texts
        if isinstance(text, str)
        for part in parse(str(text), patterns)
        if isinstance(part, Slot)
    ]


def placeholder_findings(text: str, allowed: Allowed, form: str) -> Iterator[Finding]:
    """Unknown, reserved, broken and refused ones are errors; missing ones are warnings."""
    found = slots([text], allowed.patterns)
    names = {slot.name for slot in found}
    yield from _some("reserved_placeholder", ERROR, names & RESERVED_NAMES, form)
    yield from _some("broken_placeholder", ERROR, _almost(text, allowed.patterns), form)
    yield from _some("refused_format", ERROR, {_shown(s) for s in found if _refused(s)}, form)
    if allowed.names is not None:
        unknown = names - allowed.names - RESERVED_NAMES
        yield from _some("unknown_placeholder", ERROR, unknown, form)
    yield from _some("missing_placeholder", WARNING, allowed.wanted - names, form)
    yield from _some("other_format", WARNING, _otherwise(found, allowed), form)


def _some(
    check: str, severity: Any, names: Iterable[str], form: str
) -> Iterator[Finding]:  # fmt: skip
    if listed := tuple(sorted(names)):
        yield Finding(check, severity, listed, form)


def _almost(text: str, patterns: tuple[str, ...]) -> set[str]:
    if "%" not in text:
        return set()
    return {
        match[0]
        for match in _ALMOST.finditer(text)
        if not any(isinstance(part, Slot) for part in parse(match[0], patterns))
    }


def _refused(slot: Slot) -> bool:
    if slot.format is None:
        return False
    return slot.format[-1] == "p" or any(
        int(number[:10]) > WIDEST for number in _NUMBERS.findall(slot.format)
    )


def _otherwise(found: list[Slot], allowed: Allowed) -> set[str]:
    known = {name for name, _ in allowed.formats}
    return {
        _shown(slot)
        for slot in found
        if slot.name in known and (slot.name, letter(slot)) not in allowed.formats
    }


def in_braces(text: str, patterns: tuple[str, ...]) -> str:
    """The text with all its placeholders as `%{name}`, which nothing takes for a tag of HTML."""
    if "%<" not in text:
        return text
    return "".join(
        part if isinstance(part, str) else f"%{{{part.name}}}" for part in parse(text, patterns)
    )


def letter(slot: Slot) -> str:
    """How a placeholder is printed, apart from width and precision; empty: as text."""
    last = (slot.format or "")[-1:]
    return _LETTERS.get(last, last)


def _shown(slot: Slot) -> str:
    return f"%{{{slot.name}}}" if slot.format is None else f"%<{slot.name}>{slot.format}"
