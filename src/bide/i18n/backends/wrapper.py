"""An ability around a backend: everything it does not change goes to what it wraps."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self

from bide.i18n.backends.base import UNSURE, Backend, Engine, Options


class Wrapper(Backend):
    """The base of abilities; subclasses change single steps and call `self.inner` for the rest.

    `spreads`: the ability changes how one source answers (its lookup or its plural forms), so
    around a Chain it is put around each member. `transparent`: it never changes which text is
    found, so the fast path may look through it.
    """

    spreads = False
    transparent = False

    def __init__(self, inner: Backend) -> None:
        self.inner = inner

    @property
    def subtrees(self) -> bool:  # type: ignore[override]
        """As what it wraps."""
        return self.inner.subtrees

    @property
    def edited_live(self) -> bool:  # type: ignore[override]
        """As what it wraps."""
        return self.inner.edited_live

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy around a view of what it wraps."""
        seen = super().view(engine, top)
        below: tuple[Backend, ...] = (*spread, self) if self.spreads else spread
        seen.inner = self.inner.view(engine, seen.top, below)
        return seen

    def around(self, inner: Backend) -> Self:
        """The same ability around another backend."""
        other = copy.copy(self)
        other.inner = inner
        return other

    def on_change(self, listener: Callable[[], None]) -> None:
        """As what it wraps."""
        self.inner.on_change(listener)

    def changed(self) -> None:
        """As what it wraps."""
        self.inner.changed()

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """As what it wraps."""
        return self.inner.lookup(locale, key, scope, options)

    def available_locales(self) -> tuple[str, ...]:
        """As what it wraps."""
        return self.inner.available_locales()

    def find_locales(self) -> None:
        """As what it wraps."""
        self.inner.find_locales()

    def static(self, locale: str, key: Any) -> Any:
        """As what it wraps, if this ability is transparent."""
        return self.inner.static(locale, key) if self.transparent else UNSURE

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """As what it wraps."""
        self.inner.store(locale, data, **options)

    def load(self, *files: Any) -> None:
        """As what it wraps."""
        self.inner.load(*files)

    def translations(self) -> dict[str, Any]:
        """As what it wraps."""
        return self.inner.translations()

    def initialized(self, locale: str | None = None) -> bool:
        """As what it wraps."""
        return self.inner.initialized(locale)

    def reload(self) -> None:
        """As what it wraps."""
        self.inner.reload()

    def eager_load(self) -> None:
        """As what it wraps."""
        self.inner.eager_load()

    def files_changed(self) -> bool:
        """As what it wraps."""
        return self.inner.files_changed()

    def exists(self, locale: str, key: Any, options: Options) -> bool:
        """As what it wraps."""
        return self.inner.exists(locale, key, options)

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """As what it wraps."""
        return self.inner.translate(locale, key, options)

    def missing(self, locale: str, key: Any, options: Options) -> NoReturn:
        """As what it wraps."""
        self.inner.missing(locale, key, options)

    def default(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """As what it wraps."""
        return self.inner.default(locale, key, subject, options)

    def resolve_entry(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """As what it wraps."""
        return self.inner.resolve_entry(locale, key, subject, options)

    def resolve(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """As what it wraps."""
        return self.inner.resolve(locale, key, subject, options)

    def pluralize(self, locale: str, entry: Any, count: Any) -> Any:
        """As what it wraps."""
        return self.inner.pluralize(locale, entry, count)

    def fill(self, locale: str, entry: Any, options: Options) -> Any:
        """As what it wraps."""
        return self.inner.fill(locale, entry, options)

    def interpolate(self, locale: str, entry: Any, values: Options) -> Any:
        """As what it wraps."""
        return self.inner.interpolate(locale, entry, values)

    def localize(self, locale: str, moment: Any, format_: Any, options: Options) -> str:
        """As what it wraps."""
        return self.inner.localize(locale, moment, format_, options)

    def transliterate(self, locale: str, text: str, replacement: Any) -> str:
        """As what it wraps."""
        return self.inner.transliterate(locale, text, replacement)
