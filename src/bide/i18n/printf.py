"""The subset of Ruby's format() that `%<name>.2f` needs, with bounded widths."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from bide.errors import InvalidTextArgument
from bide.i18n.values import as_text, inspected

WIDEST = 1000

_FORMAT = re.compile(r"(?P<flags>[-+ 0#]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?(?P<letter>\w)")
_BASES = {"b": (2, "b", "0b"), "B": (2, "b", "0B"), "o": (8, "o", "0"), "x": (16, "x", "0x")}
_BASES["X"] = (16, "x", "0X")


def formatted(format_: str, value: Any) -> str:
    """`value` under a format such as `.2f` or `05d` (without the percent sign).

    Raises InvalidTextArgument for a malformed format or a value that does not fit it.
    """
    match = _FORMAT.fullmatch(format_)
    if match is None:
        raise InvalidTextArgument(f"malformed format string - %{format_}")
    flags, letter = match["flags"], match["letter"]
    width = _bounded(match["width"], format_)
    precision = None if match["precision"] is None else _bounded(match["precision"], format_)
    if letter in "diu":
        text = _signed(flags, str(abs(number := integer(value))).zfill(precision or 1), number < 0)
    elif letter in _BASES:
        text = _in_base(letter, flags, integer(value), precision)
    elif letter in "eEfgG":
        text = ("%" + "".join(set(flags) & set("+ #")) + f".{6 if precision is None else precision}"
                + letter) % floating(value)  # fmt: skip
    else:
        text = _text(letter, value)[:precision]
        flags = flags.replace("0", "")
    return _padded(text, flags, width)


def _bounded(digits: str, format_: str) -> int:
    size = int(digits[:10] or 0)
    if size > WIDEST:
        raise InvalidTextArgument(f"%{format_} is wider than {WIDEST} characters")
    return size


def integer(value: Any) -> int:
    """The integer of a number or of a string of digits; fractions are cut."""
    try:
        if isinstance(value, str):
            return (
                int(value.strip(), 0) if value[:1] != "0" or not value.isdigit() else int(value, 8)
            )
        if isinstance(value, (float, Decimal)):
            return math.floor(value)
        return int(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidTextArgument(_refusal(value, "Integer")) from error


def floating(value: Any) -> float:
    """The float of a number or of a string that holds one."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidTextArgument(_refusal(value, "Float")) from error


def _refusal(value: Any, kind: str) -> str:
    if isinstance(value, str):
        return f'invalid value for {kind}(): "{value}"'
    return f"can't convert {inspected(value)} into {kind}"


def _signed(flags: str, digits: str, negative: bool) -> str:
    sign = "-" if negative else "+" if "+" in flags else " " if " " in flags else ""
    return sign + digits


def _in_base(letter: str, flags: str, number: int, precision: int | None) -> str:
    base, code, prefix = _BASES[letter]
    prefix = prefix if "#" in flags else ""
    if number < 0 and not set(flags) & set("+ "):
        digits = ".." + _complement(number, base, code)
        text = prefix + digits
    else:
        text = _signed(flags, prefix + format(abs(number), code).zfill(precision or 1), number < 0)
    return text.upper().replace("0B", "0B") if letter == "X" else text


def _complement(number: int, base: int, code: str) -> str:
    top = format(base - 1, code)
    size = 1
    while base**size < -number:
        size += 1
    digits = format(base**size + number, code).zfill(size)
    return top + digits.lstrip(top)


def _text(letter: str, value: Any) -> str:
    if letter == "s":
        return as_text(value)
    if letter == "p":
        return inspected(value)
    if letter == "c":
        return (
            chr(value) if isinstance(value, int) and 0 <= value < 0x110000 else as_text(value)[:1]
        )
    raise InvalidTextArgument(f"malformed format string - %{letter}")


def _padded(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" not in flags:
        return text.rjust(width)
    sign = text[:1] if text[:1] in "+- " else ""
    return sign + text[len(sign) :].rjust(width - len(sign), "0")
