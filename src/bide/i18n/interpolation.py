"""Placeholders in texts: `%{name}`, `%<name>.2f`, `%%`, and patterns of the application's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bide.errors import MissingInterpolationArgument
from bide.i18n.printf import formatted
from bide.i18n.values import as_text

Values = Mapping[str, Any]
MissingHandler = Callable[[str, Values, str], Any]

# A space flag counts only before a letter that ends the word: "%<n> dollars" is no "% d".
PATTERNS = (
    r"%%",
    r"%\{([\w|]+)\}",
    r"%<(\w+)>((?:[-+0#]* [-+0#]*(?=\d*\.?\d*[a-zA-Z]\b)|[^\w\s%{}<>]*)\d*\.?\d*[bBdiouxXeEfgGcps])",
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A placeholder: the name of its value, and how to print it (None: as text)."""

    name: str
    format: str | None = None


def raise_missing(name: str, values: Values, text: str) -> Any:
    """The default handler of a placeholder without a value: raises MissingInterpolationArgument."""
    raise MissingInterpolationArgument(name, dict(values), text)


def interpolate(
    text: str,
    values: Values,
    missing: MissingHandler = raise_missing,
    patterns: tuple[str, ...] = (),
) -> str:
    """`text` with its placeholders filled. Inserted text is never scanned again.

    `missing(name, values, text)` supplies what a placeholder without a value shows.
    A text that has `__html__` (markupsafe) escapes its values and stays of its type.
    Returns the same object when nothing was replaced.
    """
    return filled(parse(str(text), patterns), text, values, missing)


def filled(
    parts: tuple[str | Slot, ...], text: str, values: Values, missing: MissingHandler
) -> str:
    """As interpolate(), for a text that was parsed before."""
    if len(parts) == 1 and parts[0] == text:
        return text
    escape = getattr(type(text), "escape", str) if hasattr(text, "__html__") else str
    shown = [
        part if isinstance(part, str) else escape(_filled(part, values, text, missing))
        for part in parts
    ]
    return type(text)("".join(shown)) if escape is not str else "".join(shown)


def _filled(slot: Slot, values: Values, text: str, missing: MissingHandler) -> Any:
    if slot.name in values:
        value = values[slot.name]
        if callable(value) and not isinstance(value, type):
            value = value(dict(values))
    else:
        value = missing(slot.name, values, text)
    if slot.format is not None:
        return formatted(slot.format, value)
    return value if hasattr(value, "__html__") else as_text(value)


@lru_cache(maxsize=4096)
def parse(text: str, patterns: tuple[str, ...] = ()) -> tuple[str | Slot, ...]:
    """The literal pieces and placeholders of a text, in order; `%%` is already one percent sign."""
    parts: list[str | Slot] = []
    literal, end = "", 0
    for match in _pattern(patterns).finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        slot = _slot(match)
        if slot is None:
            literal += "%"
            continue
        if literal:
            parts.append(literal)
        literal = ""
        parts.append(slot)
    literal += text[end:]
    return (*parts, literal) if literal or not parts else tuple(parts)


@lru_cache(maxsize=16)
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join((*PATTERNS, *patterns)), re.ASCII)


def _slot(match: re.Match[str]) -> Slot | None:
    if match[0] == "%%":
        return None
    if match[2] is not None:
        return Slot(match[2], match[3])
    return Slot(match[1] or next(group for group in match.groups() if group is not None))


def placeholder_names(text: str, patterns: tuple[str, ...] = ()) -> Iterator[str]:
    """The names in a text, repeated ones repeatedly; a printf letter counts as a name (the gem's)."""
    for part in parse(text, patterns):
        if isinstance(part, Slot):
            yield part.name
            if part.format is not None:
                yield part.format


@lru_cache(maxsize=16)
def reserved_pattern(names: frozenset[str]) -> re.Pattern[str]:
    """Finds an unescaped placeholder that has the name of an option."""
    return re.compile(r"(?<!%)%\{(" + "|".join(sorted(map(re.escape, names))) + r")\}", re.ASCII)
