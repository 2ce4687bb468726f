"""One state of the texts, bound to one state of the settings, and what is worth remembering of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bide.errors import TextError
from bide.i18n.backends.base import UNSURE, Backend, Options
from bide.i18n.config import Config
from bide.i18n.interpolation import reserved_pattern
from bide.i18n.keys import Key
from bide.i18n.plans import Plan, counting, plural_plan, text_plan
from bide.i18n.plurals import plural_rule, simple_category

MOST = 20_000
_LONGEST_LINK = 20


class View:
    """What answers the lookups of an I18n until something changes. Never changes itself, so it may
    be used by any thread, and pinned for a whole request.

    `plain`, `plans` and `counted` hold, by locale and key, what needs no search: finished texts,
    functions that fill them, and what those gave for a count. The locale None there is the default
    locale.
    """

    __slots__ = ("_available", "backend", "config", "counted", "plain", "plans", "spoken")

    def __init__(self, config: Config) -> None:
        self.config = config
        self.plain: dict[Any, dict[Any, str]] = {}
        self.plans: dict[Any, dict[Any, Plan]] = {}
        self.counted: dict[Any, dict[Any, dict[int, str]]] = {}
        self._available: frozenset[str] | None = None
        #: Locales that are known to be usable, without a look at what might be; none until it is bound.
        self.spoken: frozenset[str] = frozenset()

    def bind(self, backend: Backend) -> None:
        """Answer from the state that `backend` has now."""
        self.backend = backend.view(self)
        self.spoken = frozenset([self.config.default_locale])

    def ask(self, locale: str, key: Any, options: Options) -> Any:
        """Translate through the whole stack; raises MissingTranslation."""
        return self.backend.translate(locale, key, options)

    def available(self) -> frozenset[str]:
        """The locales that enforcement allows; none at all means that nothing is enforced."""
        if self._available is None:
            known = self.config.available_locales
            self._available = frozenset(
                self.backend.available_locales() if known is None else known
            )
            self.spoken |= self._available
        return self._available

    def usable(self, locale: str) -> bool:
        """Whether enforcement allows the locale. The default locale always is."""
        if not self.config.enforce_available_locales or locale == self.config.default_locale:
            return True
        if locale in self.available():
            return True
        self.backend.find_locales()
        self._available = None
        available = self.available()
        return not available or locale in available

    def fallbacks(self, locale: str) -> Sequence[str]:
        """The locales to look in, the wanted one first."""
        try:
            found: Sequence[str] = self.config.fallbacks[locale]
        except (KeyError, IndexError):
            return [locale]
        return [found] if isinstance(found, str) else found

    def category(self, locale: str, count: Any) -> str:
        """The plural category of a count."""
        if self.config.plural_rules == "simple":
            return simple_category(count)
        return plural_rule(locale)(count)

    def static(self, locale: str, key: Any) -> Any:
        """The value that translate would use every time, None, or UNSURE."""
        for _ in range(_LONGEST_LINK):
            found = self.backend.static(locale, key)
            if not isinstance(found, Key):
                return found
            key = found
        return UNSURE

    def remember(self, locale: str, key: Any) -> None:
        """Keep a key that was just translated, if its text will be the same next time."""
        if not isinstance(key, str) or self.config.default_separator != ".":
            return
        entry = self.static(locale, key)
        if type(entry) is str:
            self._remember_text(locale, str(key), entry)
        elif isinstance(entry, Mapping):
            name = str(key)
            plan = plural_plan(lambda count: self._form(locale, name, count), entry)
            self._keep_plan(locale, name, plan, counts=True)

    def _form(self, locale: str, key: str, count: int) -> Any:
        try:
            return self.ask(locale, key, {"count": count, "skip_interpolation": True})
        except TextError as error:
            raise LookupError(key) from error

    def _remember_text(self, locale: str, key: str, text: str) -> None:
        if reserved_pattern(self.config.reserved_names).search(text):
            return
        self._keep(self.plain, locale, key, text)
        if not self.config.interpolation_patterns:
            counts = "%{count}" in text and text.count("%{") == 1
            self._keep_plan(locale, key, text_plan(text), counts=counts)

    def _keep_plan(self, locale: str, key: str, plan: Plan | None, *, counts: bool) -> None:
        if plan is None:
            return
        if counts:
            plan, texts = counting(plan)
            self._keep(self.counted, locale, key, texts)
        self._keep(self.plans, locale, key, plan)

    def _keep(self, memory: dict[Any, dict[Any, Any]], locale: str, key: str, what: Any) -> None:
        texts = memory.setdefault(locale, {})
        if len(texts) >= MOST:
            texts.clear()
        texts[key] = what
        if locale == self.config.default_locale:
            memory[None] = texts
