"""How a value appears inside a text: as Ruby prints it, so that shared texts read the same."""

from __future__ import annotations

import json
from typing import Any

from bide.errors import InvalidTextArgument


def as_text(value: Any) -> str:
    """The text inserted for a value: None is empty, True is `true`, 1e20 is `1.0e+20`."""
    if value is None:
        return ""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_text(value)
    if isinstance(value, (bytes, bytearray)):
        raise InvalidTextArgument(f"{value!r} is no text; decode it first, e.g. with .decode()")
    return str(value)


def float_text(value: float) -> str:
    """A float as Ruby writes it: the exponent always has a fraction before it."""
    text = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))
    mantissa, e, exponent = text.partition("e")
    if e and "." not in mantissa:
        return f"{mantissa}.0e{exponent}"
    return text


def inspected(value: Any) -> str:
    """The form of `%<x>p`: text in double quotes, None as nil."""
    if value is None:
        return "nil"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return as_text(value) if isinstance(value, (bool, float)) else repr(value)
