"""Lookups in a frozen tree, for every backend that has its texts at hand."""

from __future__ import annotations

from typing import Any

from bide.errors import MissingTranslation
from bide.i18n.backends.base import UNSURE, Backend, Options, locale_path
from bide.i18n.keys import Key
from bide.i18n.trees import Tree


class TreeBackend(Backend):
    """A backend over one frozen tree per locale. A subclass gives `tree` and `available_locales`."""

    def tree(self, locale: str) -> Tree | None:
        """The frozen texts of a locale, or None."""
        raise NotImplementedError(f"{type(self).__name__} must define tree()")

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """Walk the tree; a link on the way redirects the rest of the path."""
        first, *rest = locale_path(locale)
        node: Any = self.tree(first)
        steps = (*rest, *self.parts(key, scope, options))
        for index, part in enumerate(steps):
            if isinstance(node, Key):
                return self._beyond(locale, node, steps[index:], options)
            if not isinstance(node, dict):
                return None
            node = node.get(part)
            if node is None:
                return None
        return node

    def _beyond(self, locale: str, link: Key, steps: tuple[str, ...], options: Options) -> Any:
        steering = {"scope": None, "separator": None, "count": None, "default": None}
        target = {**options, **steering, "fallback_in_progress": False}
        locale = options.get("fallback_original_locale") or locale
        try:
            node = self.engine.ask(locale, link, self._on_trail(locale, link, target))
        except MissingTranslation:
            return None
        for part in steps:
            node = node.get(part) if isinstance(node, dict) else None
            if isinstance(node, Key):
                node = self.top.resolve(locale, link, node, target)
        return node

    def static(self, locale: str, key: Any) -> Any:
        """The value in the tree."""
        if type(self).translate is not Backend.translate:
            return UNSURE
        return self.top.lookup(locale, key, None, {})
