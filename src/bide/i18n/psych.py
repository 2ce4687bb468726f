"""YAML as Ruby's Psych reads it, without its power to make objects."""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from bide.i18n.keys import Key

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INTEGER = re.compile(r"[-+]?(?:0|[1-9](?:[0-9]|,[0-9]|_[0-9])*)")
_OCTAL = re.compile(r"([-+]?)0([0-7_,]+)")
_BASED = re.compile(r"([-+]?)0(?:x([0-9a-fA-F_,]+)|b([01_,]+))")
_FLOAT = re.compile(r"[-+]?(?:\d[\d,_]*)?\.\d*(?:[eE][-+]\d+)?|[-+]?\d[\d,_]*[eE][-+]?\d+")
_SIXTY = re.compile(r"[-+]?\d[\d_]*(?::[0-5]?\d){1,2}(\.[\d_]*)?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None,
    "yes": True, "true": True, "on": True, "no": False, "false": False, "off": False,
    ".inf": math.inf, "+.inf": math.inf, "-.inf": -math.inf, ".nan": math.nan,
}  # fmt: skip
_PLAIN_TAGS = frozenset(
    ["!", *(f"tag:yaml.org,2002:{kind}" for kind in
     ["map", "seq", "omap", "set", "str", "int", "float", "bool", "null", "timestamp", "merge", "value"])]
)  # fmt: skip


class PsychError(ValueError):
    """The text is no YAML, or asks for an object; `line` says where, if that is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        self.line = line
        super().__init__(problem)


def load(text: str | bytes, *, locales_on_top: bool = False) -> Any:
    """The value of a YAML document: `:x` and `!ruby/symbol x` are Keys, 1.1's words booleans.

    `locales_on_top` keeps the outermost keys as text, so that the locale `no` is no boolean.
    Raises PsychError.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
        return None if node is None else _Reader(locales_on_top).value(node)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise PsychError(str(error), mark.line + 1 if mark else None) from error
    except RecursionError as error:
        raise PsychError("the document is nested too deeply") from error


class _Reader:
    """Turns YAML nodes into values, each anchor once."""

    def __init__(self, locales_on_top: bool) -> None:
        self.text_keys = locales_on_top
        self.done: dict[int, Any] = {}
        self.open: set[int] = set()

    def value(self, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self.open:
            raise PsychError("an alias points at what holds it", _line(node))
        if id(node) not in self.done:
            self.open.add(id(node))
            self.done[id(node)] = self._collection(node)
            self.open.discard(id(node))
        return self.done[id(node)]

    def _collection(self, node: Any) -> Any:
        if node.tag not in _PLAIN_TAGS:
            raise PsychError(f"the tag {node.tag} asks for an object", _line(node))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each) for each in node.value]
        text_keys, self.text_keys = self.text_keys, False
        result: dict[Any, Any] = {}
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value == "<<" and not key.style:
                self._merge(result, self.value(value))
            else:
                result[self._key(key, text_keys)] = self.value(value)
        return result

    def _merge(self, result: dict[Any, Any], given: Any) -> None:
        for each in given if isinstance(given, list) else [given]:
            if not isinstance(each, dict):
                raise PsychError("<< must be given a mapping")
            for key, value in each.items():
                result.setdefault(key, value)

    def _key(self, node: Any, as_text: bool) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise PsychError("a key must be a plain value, not a list or a mapping", _line(node))
        if as_text:
            return str(node.value).removeprefix(":")
        key = _scalar(node)
        # True and 1 are one key to Python: a boolean key travels as its text.
        if isinstance(key, bool):
            return "true" if key else "false"
        return "" if key is None else key


def _line(node: Any) -> int:
    line: int = node.start_mark.line
    return line + 1


def _scalar(node: Any) -> Any:
    text, tag = node.value, node.tag
    if tag in ("!ruby/symbol", "!ruby/sym"):
        return Key(text)
    if tag not in _PLAIN_TAGS:
        raise PsychError(f"the tag {tag} asks for an object", _line(node))
    if node.style:
        return text
    return plain(text)


def plain(text: str) -> Any:
    """The value of an unquoted YAML scalar."""
    if text.lower() in _WORDS and (text.lower() != "null" or text in ("null", "Null", "NULL")):
        return _WORDS[text.lower()]
    if text[0] == ":" and len(text) > 1 and not text.startswith("::"):
        return Key(text[1:].strip("\"'") if text[1] in "\"'" else text[1:])
    if text[0] not in "+-.0123456789":
        return text
    return _number(text)


def _number(text: str) -> Any:
    if len(text) > 100:
        return text
    digits = text.replace(",", "").replace("_", "")
    if _INTEGER.fullmatch(text):
        return int(digits)
    if match := _BASED.fullmatch(digits):
        value = int(match[2], 16) if match[2] else int(match[3], 2)
        return -value if match[1] == "-" else value
    if match := _OCTAL.fullmatch(digits):
        return int(match[1] + (match[2] or "0"), 8)
    if (
        _FLOAT.fullmatch(text)
        and text.strip("+-") not in (".", "")
        and digits.lstrip("+-")[:2] != "."
    ):
        return _float(digits, text)
    if match := _SIXTY.fullmatch(text):
        return _sexagesimal(digits, fraction=match[1] is not None)
    return text


def _float(digits: str, text: str) -> Any:
    try:
        return float(digits)
    except ValueError:
        return text


def _sexagesimal(digits: str, *, fraction: bool) -> int | float:
    total: int | float = 0
    parts = digits.lstrip("+-").split(":")
    for index, part in enumerate(parts):
        # Psych counts from hours, also when there are only two parts.
        total += (float(part or 0) if "." in part else int(part)) * 60 ** abs(index - 2)
    total = -total if digits.startswith("-") else total
    return float(total) if fraction else total
