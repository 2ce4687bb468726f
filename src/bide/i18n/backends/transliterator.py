"""Transliteration rules given by the program, made ready once per state of the texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from bide.errors import MissingTranslation
from bide.i18n.backends.base import Backend, Engine
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.keys import Key
from bide.i18n.transliterate import Transliteration, transliterator


class Transliterator(Wrapper):
    """`Transliterator(backend, {"de": {"ü": "ue"}})`: rules for locales whose texts hold none."""

    transparent = True

    def __init__(self, inner: Backend, rules: Mapping[str, Any] | None = None) -> None:
        super().__init__(inner)
        self.rules = dict(rules or {})
        self._ready: dict[str, Transliteration] = {}

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy with rules made ready for it alone."""
        seen = super().view(engine, top, spread)
        seen._ready = {}
        return seen

    def transliterate(self, locale: str, text: str, replacement: Any) -> str:
        """A text in ASCII, by the stored rule, else by the given one."""
        if locale not in self._ready:
            try:
                rule = self.engine.ask(locale, Key("i18n.transliterate.rule"), {"resolve": False})
            except MissingTranslation:
                rule = self.rules.get(locale)
            self._ready[locale] = transliterator(rule)
        return self._ready[locale](text, replacement)
