"""Lookups that are slow are asked once per state of the texts, hits and misses."""

from __future__ import annotations

from typing import Any, Self

from bide.i18n.backends.base import Backend, Engine, Options
from bide.i18n.backends.wrapper import Wrapper

MOST = 20_000


class Memoize(Wrapper):
    """Remembers what lookups found, until the texts change. Bounded: past 20,000 hits or misses
    it starts anew."""

    spreads = True
    transparent = True

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self._hits: dict[Any, Any] = {}
        self._misses: dict[Any, None] = {}
        self._locales: list[tuple[str, ...]] = []

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy with a memory of its own, which dies with it."""
        seen = super().view(engine, top, spread)
        seen._hits, seen._misses, seen._locales = {}, {}, []
        return seen

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """What was found before, else what is found now. A cascading call is never remembered."""
        if options.get("cascade") or (options.get("count") is not None and not self.subtrees):
            return self.inner.lookup(locale, key, scope, options)
        place = (locale, self.parts(key, scope, options))
        if place in self._misses:
            return None
        found = self._hits.get(place)
        if found is None:
            found = self.inner.lookup(locale, key, scope, options)
            _remember(self._misses if found is None else self._hits, place, found)
        return found

    def available_locales(self) -> tuple[str, ...]:
        """Asked once."""
        if not self._locales:
            self._locales = [self.inner.available_locales()]
        return self._locales[0]

    def find_locales(self) -> None:
        """As what it wraps; the locales are asked for again."""
        super().find_locales()
        self._forget_locales()

    def on_change(self, listener: Any) -> None:
        """As what it wraps; the locales are forgotten first."""
        super().on_change(self._forget_locales)
        super().on_change(listener)

    def _forget_locales(self) -> None:
        self._locales = []

    def eager_load(self) -> None:
        """Load what it wraps, and ask for the locales."""
        super().eager_load()
        self.available_locales()


def _remember(memory: dict[Any, Any], place: Any, found: Any) -> None:
    if len(memory) >= MOST:
        memory.clear()
    memory[place] = found
