"""Plural forms by a rule stored with the texts, exact forms for 0 and 1, and gaps filled by `other`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from bide.errors import MissingTranslation
from bide.i18n.backends.base import Backend, Engine, chosen, plural_forms
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.keys import Key


class Pluralization(Wrapper):
    """Chooses, in this order: `zero` for 0, an exact `"0"` or `"1"`, the category of the locale's
    rule, `other`.

    The rule is the callable at `i18n.plural.rule`, or CLDR's.
    """

    spreads = True
    transparent = True

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self._rules: dict[str, Any] = {}

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy with rules of its own, which die with it."""
        seen = super().view(engine, top, spread)
        seen._rules = {}
        return seen

    def pluralize(self, locale: str, entry: Any, count: Any) -> Any:
        """The form of `entry` for a count."""
        if not isinstance(entry, Mapping) or count is None:
            return entry
        forms = plural_forms(entry)
        if count == 0 and "zero" in forms:
            return forms["zero"]
        if count in (0, 1):
            exact = forms.get(str(int(count)))
            if exact is not None:
                return exact
        return self._by_rule(locale, forms, count)

    def _by_rule(self, locale: str, forms: dict[str, Any], count: Any) -> Any:
        rule = self.rule(locale)
        category = str(self.engine.category(locale, count) if rule is None else rule(count))
        if forms.get(category) is None and "other" in forms:
            return forms["other"]
        return chosen(forms, category, count)

    def rule(self, locale: str) -> Any:
        """The callable stored for a locale (or its fallbacks), or None."""
        if locale not in self._rules:
            try:
                rule = self.engine.ask(locale, Key("i18n.plural.rule"), {"resolve": False})
            except MissingTranslation:
                rule = None
            self._rules[locale] = rule if callable(rule) else None
        return self._rules[locale]
