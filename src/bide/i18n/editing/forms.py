"""Plural forms of a text, and which trees are plural forms at all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bide.i18n.plurals import CATEGORIES, plural_categories, plural_examples

#: Exact forms for the counts 0 and 1, before any category (translations.md 1.5).
EXACT: Final = ("0", "1")
FORMS: Final = frozenset((*CATEGORIES, *EXACT))


class Form(NamedTuple):
    """A form that a locale may have, with numbers that it is used for; `complete`: with no other."""

    name: str
    examples: tuple[str, ...]
    required: bool = False
    complete: bool = False


def is_plural(value: Any) -> bool:
    """Whether a value consists of plural forms: nothing else among them, and `other` there."""
    return isinstance(value, Mapping) and "other" in value and FORMS.issuperset(map(str, value))


def forms_of(locale: str) -> tuple[Form, ...]:
    """The forms of a locale in CLDR's order; `other` alone is required."""
    examples = plural_examples(locale)
    return tuple(
        Form(name, examples[name], name == "other", _are_all(examples[name]))
        for name in plural_categories(locale)
    )


def _are_all(examples: tuple[str, ...]) -> bool:
    """What repeats comes again with the tens or the hundreds, and fractions have no end."""
    return len(examples) < 4 and all(one.isdigit() and int(one) < 20 for one in examples)


def exact_forms() -> tuple[Form, ...]:
    """The optional forms for exactly 0 and exactly 1."""
    return tuple(Form(name, (name,)) for name in EXACT)
