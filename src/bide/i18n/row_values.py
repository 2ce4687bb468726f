"""Values of the translations table: YAML that Ruby's Psych reads as it was meant, and back."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final

from bide.errors import InvalidTextArgument
from bide.i18n import psych
from bide.i18n.keys import Key, key_text

#: How the gem keeps booleans, since its rows cannot tell a serialised false from no value.
TRUE, FALSE = "\x01", "\x02"

_ESCAPED: Final = re.compile(
    '["\\\\\x00-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff\U00010000-\U0010ffff]'
)
_SHORT: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
#: What most rows are, read without a parser: ours, and Ruby's.
QUOTED: Final = re.compile(r'--- "([^"\\\n]*)"\n')
_UNQUOTED: Final = re.compile(r"--- ([A-Za-z](?:[A-Za-z0-9 _,.!?%()]*[A-Za-z0-9_,.!?%()])?)\n")


def encoded(key: str, value: Any) -> str | None:
    """`value` as the column holds it. Raises InvalidTextArgument for what no row can hold."""
    if value is None:
        return None
    if isinstance(value, bool):
        value = TRUE if value else FALSE
    return f"--- {_flow(key, value)}\n"


def written(key: str, value: Any) -> str:
    """`value` as one line of YAML. Raises InvalidTextArgument, naming the key."""
    return _flow(key, value)


def _flow(key: str, value: Any) -> str:
    if isinstance(value, str):
        return _link(value) if isinstance(value, Key) else _quoted(key, value)
    if value is None or isinstance(value, bool):
        return {None: "~", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_flow(key, each) for each in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_part(key, part)}: {_flow(key, each)}" for part, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise InvalidTextArgument(
        f"{key}: {value!r} can not be kept in a table; use texts, numbers, booleans, lists or Keys"
    )


def _quoted(key: str, text: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise InvalidTextArgument(f"{key}: {text!r} holds half a character; it can not be kept")
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _link(link: Key) -> str:
    name = str(link)
    return f":{name}" if _NAME.fullmatch(name) else f"!ruby/symbol {_quoted(name, name)}"


def _part(key: str, part: object) -> str:
    name = key_text(part)
    return f":{name}" if _NAME.fullmatch(name) and "." not in name else _quoted(key, name)


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(value)
    if math.isnan(value) or math.isinf(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0 else ''}.inf"
    digits = repr(value)
    # Psych takes 1e+16 for a text.
    return digits if "." in digits else digits.replace("e", ".0e")


def decoded(text: str | None) -> Any:
    """The value of a column; text that does not begin with `---` stands for itself.

    Raises psych.PsychError for broken YAML and for what asks for an object.
    """
    if text is None or not text.startswith("---"):
        return text
    if quoted := QUOTED.fullmatch(text):
        return quoted[1]
    line = _UNQUOTED.fullmatch(text)
    found = psych.plain(line[1]) if line else psych.load(text)
    return found == TRUE if isinstance(found, str) and found in (TRUE, FALSE) else found
