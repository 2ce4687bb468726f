"""All texts of an I18n side by side, whatever backends they come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from bide.i18n.backends.base import Backend
from bide.i18n.backends.fallbacks import Fallbacks
from bide.i18n.editing.forms import is_plural
from bide.i18n.keys import ESCAPED_DOT, Key, key_text
from bide.i18n.locales import parents
from bide.i18n.plurals import plural_categories, plural_rule
from bide.i18n.translator import I18n
from bide.i18n.trees import Tree

#: What the engine itself asks for; no program names these keys.
ENGINE: Final = ("i18n", "date", "time", "datetime", "number", "support")


class Unit(NamedTuple):
    """A text, or all forms of a plural text, in one locale. `key` is flat."""

    key: str
    value: Any


class Catalogue:
    """The texts of every locale as they are now, nested and frozen: all that readers see, or those of
    one backend among them."""

    def __init__(
        self, i18n: I18n, backend: Backend | None = None, *, source: str | None = None
    ) -> None:
        backend = backend or i18n.backend
        backend.eager_load()
        self.source = source or i18n.default_locale
        self.patterns = i18n.interpolation_patterns
        self._trees = {str(locale): frozen(tree) for locale, tree in backend.translations().items()}
        self._falls_back = _has_fallbacks(i18n.backend)

    @property
    def locales(self) -> list[str]:
        """Every locale with texts, the source's first."""
        others = sorted(locale for locale in self._trees if locale != self.source)
        return [self.source, *others] if self.source in self._trees else others

    def units(self, locale: str) -> dict[str, Any]:
        """The texts of a locale by key; plural forms stand together."""
        return dict(_units(self._trees.get(locale, {}), ""))

    def flat(self, locale: str) -> dict[str, Any]:
        """The texts of a locale by key, each plural form by itself."""
        return dict(_flat(self._trees.get(locale, {}), ""))

    def wanted(self, locale: str) -> dict[str, Any]:
        """The keys that a locale should have, with the source text of each: those of the source
        language that are words, in the plural forms of the locale."""
        wanted: dict[str, Any] = {}
        for key, value in self.units(self.source).items():
            if isinstance(value, Mapping):
                forms = {form: value.get(form, value["other"]) for form in needed_forms(locale)}
                wanted.update({f"{key}.{form}": text for form, text in forms.items()})
            elif _is_words(value):
                wanted[key] = value
        return wanted

    def missing(self, locale: str) -> dict[str, Any]:
        """Those of the wanted that the locale, or one it falls back to, does not have."""
        there: set[str] = set()
        for each in parents(locale) if self._falls_back else (locale,):
            if each != self.source or locale == self.source:
                there.update(key for key, value in self.flat(each).items() if value is not None)
        return {key: text for key, text in self.wanted(locale).items() if key not in there}


@lru_cache(maxsize=512)
def needed_forms(locale: str) -> tuple[str, ...]:
    """The plural forms that texts of a locale need: `other`, and those of everyday counts."""
    rule = plural_rule(locale)
    daily = {rule(number) for number in range(201)} | {"other"}
    return tuple(form for form in plural_categories(locale) if form in daily)


def frozen(value: Any) -> Any:
    """A copy with text keys and tuples; a key's dots are escaped."""
    if isinstance(value, Mapping):
        return {_part(part): frozen(below) for part, below in value.items()}
    return tuple(map(frozen, value)) if isinstance(value, (list, tuple)) else value


def _part(part: object) -> str:
    return key_text(part).replace(".", ESCAPED_DOT)


def _units(tree: Tree, prefix: str) -> Iterator[tuple[str, Any]]:
    for part, value in tree.items():
        if isinstance(value, Mapping) and not _is_plural_text(value):
            yield from _units(dict(value), f"{prefix}{part}.")
        else:
            yield f"{prefix}{part}", value


def _is_plural_text(value: Mapping[str, Any]) -> bool:
    """A group with nothing but an entry «other» is more likely a group."""
    texts = all(isinstance(form, str) or form is None for form in value.values())
    return len(value) > 1 and texts and is_plural(value)


def _flat(tree: Tree, prefix: str) -> Iterator[tuple[str, Any]]:
    for part, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(dict(value), f"{prefix}{part}.")
        else:
            yield f"{prefix}{part}", value


def _is_words(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_is_words, value))
    return isinstance(value, str) and not isinstance(value, Key) and bool(value)


def _has_fallbacks(backend: Any) -> bool:
    below = [getattr(backend, "inner", None), *getattr(backend, "members", ())]
    return isinstance(backend, Fallbacks) or any(_has_fallbacks(each) for each in below if each)
