"""Keys that were asked for and not found, told to a recorder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bide.errors import MissingTranslation
from bide.i18n.backends.base import Backend, Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.keys import Key, normalize_flat_keys
from bide.i18n.plurals import plural_categories

MOST = 10_000


@dataclass(frozen=True, slots=True)
class MissingKey:
    """A key without a text: flat, with the names of its values; with a count, one per form."""

    locale: str
    key: str
    values: tuple[str, ...] = ()


class Missing(Wrapper):
    """Calls `record(MissingKey)` once for every key that ended missing, at most for 10,000 keys.

    Put it outside of Fallbacks, so that only what no locale has is recorded. A call whose default
    was used records nothing.
    """

    def __init__(self, inner: Backend, record: Callable[[MissingKey], None]) -> None:
        super().__init__(inner)
        self.record = record
        self._told: set[tuple[str, str]] = set()

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """As what it wraps; a missing key is recorded on the way."""
        try:
            return self.inner.translate(locale, key, options)
        except MissingTranslation:
            self._tell(locale, key, options)
            raise

    def static(self, locale: str, key: Any) -> Any:
        """As what it wraps: what is found is none of its business."""
        return self.inner.static(locale, key)

    def _tell(self, locale: str, key: Any, options: Options) -> None:
        separator = options.get("separator") or self.engine.config.default_separator
        flat = normalize_flat_keys(key, options.get("scope"), separator).strip(".")
        # The engine's own questions (rules, plural keys) are nobody's missing text.
        if not flat or flat.startswith("i18n.") or len(self._told) >= MOST:
            return
        if (locale, flat) in self._told:
            return
        self._told.add((locale, flat))
        reserved = self.engine.config.reserved_names
        values = tuple(name for name in options if name not in reserved and name != "link_trail")
        forms = self._forms(locale) if options.get("count") is not None else ()
        for name in [f"{flat}.{form}" for form in forms] or [flat]:
            self.record(MissingKey(locale, name, values))

    def _forms(self, locale: str) -> tuple[str, ...]:
        try:
            keys = self.engine.ask(locale, Key("i18n.plural.keys"), {})
        except MissingTranslation:
            return plural_categories(locale)
        return tuple(str(key) for key in keys)
