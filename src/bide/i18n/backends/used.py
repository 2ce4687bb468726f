"""Where texts are used, told to a recorder: for editors, and to find texts that nobody needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bide.i18n.backends.base import Backend, Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.keys import normalize_flat_keys


class Used(Wrapper):
    """Calls `record(key)` for keys that were translated: `Used(Chain(database, files),
    database.note_use)`.

    Costs lookups nothing: a key is told when a process asks for it first after its texts changed,
    and not while its finished text is at hand. Put it outside of everything else.
    """

    def __init__(self, inner: Backend, record: Callable[[str], None]) -> None:
        super().__init__(inner)
        self.record = record

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """As what it wraps; a key that was found is recorded on the way."""
        found = self.inner.translate(locale, key, options)
        separator = options.get("separator") or self.engine.config.default_separator
        flat = normalize_flat_keys(key, options.get("scope"), separator).strip(".")
        # The engine's own questions (rules, plural keys) are no use of a text.
        if found is not None and flat and not flat.startswith("i18n."):
            self.record(flat)
        return found

    def static(self, locale: str, key: Any) -> Any:
        """As what it wraps: what is found is none of its business."""
        return self.inner.static(locale, key)
