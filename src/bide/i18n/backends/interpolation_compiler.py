"""Texts taken apart once, for programs with more texts than the common memory of templates holds."""

from __future__ import annotations

from typing import Any, Self

from bide.i18n.backends.base import Backend, Engine, Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.interpolation import Slot, filled, parse
from bide.i18n.keys import Key

MOST = 100_000


class InterpolationCompiler(Wrapper):
    """Keeps the pieces of every text that has placeholders. Pieces are data: no code is made."""

    transparent = True
    spreads = True

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self._pieces: dict[str, tuple[str | Slot, ...]] = {}

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy with pieces of its own, which die with it."""
        seen = super().view(engine, top, spread)
        seen._pieces = {}
        return seen

    def compiled(self, text: Any) -> tuple[str | Slot, ...] | None:
        """The pieces of a text, or None when there is nothing to fill in."""
        if not isinstance(text, str) or "%" not in text:
            return None
        pieces = self._pieces.get(text)
        if pieces is None:
            pieces = parse(str(text), self.engine.config.interpolation_patterns)
            if len(self._pieces) < MOST:
                self._pieces[text] = pieces
        return pieces

    def interpolate(self, locale: str, entry: Any, values: Options) -> Any:
        """Fill the pieces of a text; the rest goes to what it wraps."""
        config = self.engine.config
        if type(entry) is not str or isinstance(entry, Key) or config.interpolation_patterns:
            return self.inner.interpolate(locale, entry, values)
        pieces = self.compiled(entry)
        if pieces is None:
            return entry
        self.inner.fill(locale, entry, {})
        return filled(pieces, entry, values, config.missing_interpolation_argument_handler)
