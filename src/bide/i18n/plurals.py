"""Plural rules of all languages, made plain functions from the CLDR data that Babel carries."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.plural import PluralRule, to_gettext

from bide.i18n.locales import parents

Rule = Callable[[Any], str]

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
_NAMES = ("n", "i", "v", "w", "f", "t", "c", "e")
_SAMPLES = (*range(201), 1000, 10**6, Decimal("0.5"), Decimal("1.5"), Decimal("2.10"))


@lru_cache(maxsize=512)
def plural_rule(locale: str) -> Rule:
    """The function that gives the category of a count; English for unknown locales.

    Integers cost one comparison chain; floats and Decimals are taken apart as CLDR says.
    What is no number is `other`.
    """
    rules = _rules(locale)
    whole = _compiled(rules, {name: "n" if name in "ni" else "0" for name in _NAMES})
    parts = _compiled(rules, {name: name for name in _NAMES})

    def category(count: Any) -> str:
        if type(count) is int:
            return whole(count if count >= 0 else -count)
        operands = _operands(count)
        return "other" if operands is None else parts(*operands)

    return category


def gettext_plural_forms(locale: str) -> str:
    """The header Plural-Forms of a PO file with one form for each category, in CLDR's order."""
    return to_gettext(_plural_form(locale))


def _rules(locale: str) -> list[tuple[str, Any]]:
    return list(_plural_form(locale).abstract)


def _plural_form(locale: str) -> PluralRule:
    for tag in parents(locale):
        try:
            return Locale.parse(tag.replace("_", "-"), sep="-").plural_form
        except (UnknownLocaleError, ValueError, TypeError):
            continue
    return Locale.parse("en").plural_form


def _compiled(rules: list[tuple[str, Any]], names: dict[str, str]) -> Callable[..., str]:
    arguments = ", ".join(dict.fromkeys(name for name in names.values() if name.isalpha()))
    cases = [f"'{tag}' if {_source(rule, names)} else " for tag, rule in rules]
    source = f"lambda {arguments}: {''.join(cases)}'other'"
    function: Callable[..., str] = eval(source, {"__builtins__": {}})  # noqa: S307 - made of CLDR's syntax tree alone
    return function


def _source(node: Any, names: dict[str, str]) -> str:
    kind, args = node
    if kind in names:
        return names[kind]
    if kind == "value":
        return str(int(args[0]))
    if kind == "not":
        return f"(not {_source(args[0], names)})"
    if kind in ("and", "or"):
        return "(" + f" {kind} ".join(_source(each, names) for each in args) + ")"
    if kind == "mod":
        return f"({_source(args[0], names)} % {_source(args[1], names)})"
    _, value, (_, ranges) = args
    return (
        "(" + " or ".join(_within(_source(value, names), low, high) for low, high in ranges) + ")"
    )


def _within(value: str, low: Any, high: Any) -> str:
    first, last = int(low[1][0]), int(high[1][0])
    if first == last:
        return f"{value} == {first}"
    # A fraction lies in no range of integers.
    return f"({first} <= {value} <= {last} and {value} % 1 == 0)"


def _operands(count: Any) -> tuple[Any, ...] | None:
    if isinstance(count, bool):
        count = int(count)
    if not isinstance(count, (int, float, Decimal)):
        return None
    try:
        number = abs(Decimal(repr(count) if isinstance(count, float) else count))
        plain = f"{number:f}"
        whole, _, fraction = plain.partition(".")
        if isinstance(count, float) and fraction == "0":
            fraction = ""
        short = fraction.rstrip("0")
        return (
            number, int(whole), len(fraction), len(short), int(fraction or 0), int(short or 0), 0, 0,
        )  # fmt: skip
    except (InvalidOperation, ValueError):
        return None


def simple_category(count: Any) -> str:
    """The category by the gem's plain rule: `one` for 1, else `other`."""
    return "one" if count == 1 else "other"


@lru_cache(maxsize=512)
def plural_categories(locale: str) -> tuple[str, ...]:
    """The categories of a locale in CLDR's order, e.g. `("one", "few", "many", "other")`."""
    used = {tag for tag, _ in _rules(locale)} | {"other"}
    return tuple(category for category in CATEGORIES if category in used)


@lru_cache(maxsize=512)
def plural_examples(locale: str, most: int = 4) -> dict[str, tuple[str, ...]]:
    """Up to `most` example numbers for each category, for people who edit plural forms."""
    rule = plural_rule(locale)
    examples: dict[str, list[str]] = {category: [] for category in plural_categories(locale)}
    for sample in _SAMPLES:
        found = examples[rule(sample)]
        if len(found) < most:
            found.append(str(sample))
    return {category: tuple(found) for category, found in examples.items()}
