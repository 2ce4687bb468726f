"""Every text of a locale in one flat dict: a lookup is a single access, however deep the key."""

from __future__ import annotations

from typing import Any, Self

from bide.i18n.backends.base import Backend, Engine, Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.keys import ESCAPED_DOT, Key, flatten
from bide.i18n.trees import Tree, freeze


class Flatten(Wrapper):
    """Lays the texts of what it wraps out flat, once per state. Costs memory for the long keys.

    A path that runs through a link, and anything else that is not found flat, is asked of what it
    wraps, so a link replaces whole parts of a key and never a piece of one.
    """

    spreads = True
    transparent = True

    def __init__(self, inner: Backend) -> None:
        super().__init__(inner)
        self._flat: dict[str, Tree] = {}

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy that lays out the texts of now."""
        seen = super().view(engine, top, spread)
        seen._flat = {}
        return seen

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """One access to the flat texts."""
        if options.get("cascade") is None and "." not in locale:
            steps = [part.replace(".", ESCAPED_DOT) for part in self.parts(key, scope, options)]
            found = self.flat(locale).get(".".join(steps))
            if found is not None and not isinstance(found, Key):
                return found
        return self.inner.lookup(locale, key, scope, options)

    def flat(self, locale: str) -> Tree:
        """All texts of a locale under their dotted keys."""
        if locale not in self._flat:
            tree = freeze(self.inner.translations().get(locale, {}))
            self._flat[locale] = flatten(tree)
        return self._flat[locale]
