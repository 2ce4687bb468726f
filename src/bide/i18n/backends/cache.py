"""Whole results kept in a store outside, such as a cache server, until the texts change."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

from bide.errors import MissingTranslation
from bide.i18n.backends.base import CALLED, Backend, Options
from bide.i18n.backends.wrapper import Wrapper

Digest = Callable[[str], str]

_PLAIN = (str, int, float, bool, Decimal, date, time, timedelta, type(None))


class CacheStore(Protocol):
    """What a store must do. `read` gives None for what is not there."""

    def read(self, key: str) -> Any:
        """The value of a key, or None."""

    def write(self, key: str, value: Any) -> None:
        """Keep a value."""

    def clear(self) -> None:
        """Forget everything; called when the texts change."""


class MemoryStore:
    """A store in this process, emptied when it holds `most` results."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self.entries: dict[str, Any] = {}

    def read(self, key: str) -> Any:
        """The value of a key, or None."""
        return self.entries.get(key)

    def write(self, key: str, value: Any) -> None:
        """Keep a value."""
        if len(self.entries) >= self.most:
            self.clear()
        self.entries[key] = value

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()


def sha256(text: str) -> str:
    """The same short digest in every process."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Cache(Wrapper):
    """`Cache(backend, store)`: results under `i18n/NAMESPACE/LOCALE/KEY/OPTIONS`, also of missing
    texts. Calls with callables or objects among their options are not kept."""

    def __init__(
        self, inner: Backend, store: CacheStore, *, namespace: str = "", digest: Digest = sha256
    ) -> None:
        super().__init__(inner)
        self.results, self.namespace, self.digest = store, namespace, digest

    def on_change(self, listener: Callable[[], None]) -> None:
        """As what it wraps; the store is emptied first."""
        super().on_change(self.results.clear)
        super().on_change(listener)

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """The kept result, else what is found now."""
        if not _plain(key) or not _plain(options):
            return self.inner.translate(locale, key, options)
        place = self.cache_key(locale, key, options)
        kept = self.results.read(place)
        if kept is None:
            kept, keep = self._now(locale, key, options)
            if keep:
                self.results.write(place, kept)
        outcome, value = kept
        if outcome == "missing":
            raise MissingTranslation(*value)
        return value

    def _now(self, locale: str, key: Any, options: Options) -> tuple[tuple[str, Any], bool]:
        collected: list[Any] = []
        token = CALLED.set(collected)
        try:
            found = ("found", self.inner.translate(locale, key, options))
        except MissingTranslation as error:
            found = ("missing", (error.locale, error.key, error.options, error.considered))
        finally:
            CALLED.reset(token)
        return found, not collected

    def cache_key(self, locale: str, key: Any, options: Options) -> str:
        """The name of a result in the store."""
        asked = repr((type(key).__name__, key))
        given = repr(sorted((name, repr(value)) for name, value in options.items()))
        return "/".join(
            part
            for part in ("i18n", self.namespace, locale, self.digest(asked), self.digest(given))
            if part
        )


def _plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_plain(each) for each in value)
    if isinstance(value, dict):
        return all(_plain(each) for each in value.values())
    return isinstance(value, _PLAIN)
