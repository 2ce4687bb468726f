"""Texts made ready to be filled: small functions for the cases that pages consist of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bide.i18n.interpolation import Slot, parse

# A plan takes the options of a call and gives the finished text. It raises LookupError for
# anything but exactly the values it knows, each a str or an int: then the whole way is gone.
Plan = Callable[[dict[str, Any]], str]

_PLAIN = frozenset({str, int})
MOST_COUNTS = 200


def text_plan(text: str) -> Plan | None:
    """The plan of a text whose placeholders are all plain, or None."""
    parts = parse(text)
    slots = [part for part in parts if isinstance(part, Slot)]
    names = [slot.name for slot in slots]
    if not slots or any(slot.format for slot in slots) or len(set(names)) != len(names):
        return None
    literals, held = _literals(parts)
    if len(names) == 1:
        return _one(literals, names[0])
    if len(names) == 2:
        return _two(literals, names)
    return _many(literals, names) if held else None


def _literals(parts: tuple[str | Slot, ...]) -> tuple[list[str], bool]:
    literals = [""]
    for part in parts:
        if isinstance(part, Slot):
            literals.append("")
        else:
            literals[-1] += part
    return literals, len(literals) > 1


def _one(literals: list[str], name: str) -> Plan:
    before, after = literals

    def plan(values: dict[str, Any]) -> str:
        value = values[name]
        if len(values) != 1 or type(value) not in _PLAIN:
            raise LookupError
        return f"{before}{value}{after}"

    return plan


def _two(literals: list[str], names: list[str]) -> Plan:
    before, between, after = literals
    first, second = names

    def plan(values: dict[str, Any]) -> str:
        one, two = values[first], values[second]
        if len(values) != 2 or type(one) not in _PLAIN or type(two) not in _PLAIN:
            raise LookupError
        return f"{before}{one}{between}{two}{after}"

    return plan


def _many(literals: list[str], names: list[str]) -> Plan:
    rest = literals[1:]

    def plan(values: dict[str, Any]) -> str:
        if len(values) != len(names):
            raise LookupError
        shown = [literals[0]]
        for name, literal in zip(names, rest, strict=True):
            value = values[name]
            if type(value) not in _PLAIN:
                raise LookupError
            shown.append(f"{value}{literal}")
        return "".join(shown)

    return plan


def plural_plan(whole: Callable[[Any], Any], forms: Mapping[str, Any]) -> Plan | None:
    """The plan of a plural entry; `whole(count)` goes the whole way to the right form's text."""
    if not forms or not all(isinstance(form, str) for form in forms.values()):
        return None
    plans: dict[str, Plan | None] = {}

    def form_plan(form: str) -> Plan | None:
        if form not in plans:
            plans[form] = text_plan(form)
        return plans[form]

    def plan(values: dict[str, Any]) -> str:
        count = values["count"]
        if type(count) is not int:
            raise LookupError
        form = whole(count)
        filled = form_plan(form) if type(form) is str else None
        if filled is None:
            raise LookupError
        return filled(values)

    return plan


def counting(plan: Plan) -> tuple[Plan, dict[int, str]]:
    """A plan that writes down what it gave for a count that came alone, and what it wrote down."""
    texts: dict[int, str] = {}

    def noting(values: dict[str, Any]) -> str:
        text = plan(values)
        if len(values) == 1 and len(texts) < MOST_COUNTS:
            count = values.get("count")
            if type(count) is int:
                texts[count] = text
        return text

    return noting, texts
