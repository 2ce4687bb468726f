"""A text that is missing in a locale is looked for in others: its parents, and whatever is listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bide.errors import InvalidPluralizationData, MissingTranslation
from bide.i18n.backends.base import UNSURE, Backend, Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.keys import Key
from bide.i18n.locales import LocaleFallbacks

# hook(asked, found, key, options), called for every text that another locale gave.
FallbackHook = Callable[[str, str, Any, Options], None]

_NONE: Any = object()


class Fallbacks(Wrapper):
    """`Fallbacks(backend, "en")`: de-AT is looked for in de-AT, de, en.

    Without locales the list is the I18n's `fallbacks`. A default that is a Key beats the next
    locale, a default that is a text does not. `fallback=False` in a call switches it off.
    """

    def __init__(
        self,
        inner: Backend,
        *defaults: Any,
        map: Any = None,  # noqa: A002 - the gem's word
        on_fallback: FallbackHook | None = None,
    ) -> None:
        super().__init__(inner)
        self.on_fallback = on_fallback
        given = len(defaults) == 1 and not isinstance(defaults[0], (str, list, tuple))
        own = defaults[0] if given else LocaleFallbacks(*defaults, map=map)
        self.own: Any = own if defaults or map else None

    def locales(self, locale: str) -> list[str]:
        """The locales to look in, the wanted one first; those that are not available are left out."""
        found = self.engine.fallbacks(locale) if self.own is None else self.own[locale]
        return [each for each in found if each == locale or self.engine.usable(each)]

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """The first locale's text, then the default at the wanted locale."""
        if not options.get("fallback", True) or options.get("fallback_in_progress"):
            return self.inner.translate(locale, key, options)
        keys, default = _split_default(options)
        incomplete: InvalidPluralizationData | None = None
        if key is not None:
            progress = {"fallback_in_progress": True, "fallback_original_locale": locale}
            for each in self.locales(locale):
                try:
                    result = self.inner.translate(each, key, {**keys, **progress})
                except MissingTranslation:
                    continue
                except InvalidPluralizationData as error:
                    incomplete = incomplete or error
                    continue
                if result is not None:
                    self._tell(locale, each, key, options)
                    return result
        if incomplete is not None and default is _NONE:
            raise incomplete
        return self._without_text(locale, key, options, keys, default)

    def _without_text(
        self, locale: str, key: Any, options: Options, keys: Options, default: Any
    ) -> Any:
        if "default" in options and options["default"] is None:
            return None
        if default is _NONE:
            if key is None:
                return self.inner.translate(locale, key, options)
            self.top.missing(locale, key, keys)
        return self.inner.translate(locale, None, {**options, "default": default})

    def _tell(self, asked: str, found: str, key: Any, options: Options) -> None:
        if self.on_fallback is not None and asked != found:
            self.on_fallback(asked, found, key, options)

    def resolve_entry(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """A link met in another locale starts again at the wanted one."""
        if isinstance(subject, Key) and options.get("fallback_in_progress"):
            locale = options["fallback_original_locale"]
            options = {**options, "fallback_in_progress": False}
        return self.inner.resolve_entry(locale, key, subject, options)

    def exists(self, locale: str, key: Any, options: Options) -> bool:
        """Whether any locale of the list has the key."""
        if not options.get("fallback", True):
            return self.inner.exists(locale, key, options)
        return any(self.inner.exists(each, key, options) for each in self.locales(locale))

    def static(self, locale: str, key: Any) -> Any:
        """The first locale's, while nobody wants to hear of fallbacks."""
        for each in self.locales(locale):
            found = self.inner.static(each, key)
            if found is not None:
                elsewhere = each != locale
                plain = isinstance(found, str) and self.on_fallback is None
                return UNSURE if elsewhere and not plain else found
        return None


def _split_default(options: Options) -> tuple[dict[str, Any], Any]:
    keys = dict(options)
    default = options.get("default")
    if default is None:
        return keys, _NONE
    listed = _flat(default)
    for index, each in enumerate(listed):
        if not isinstance(each, Key) and each is not None:
            keys["default"] = listed[:index]
            return keys, each
    return keys, _NONE


def _flat(default: Any) -> list[Any]:
    if not isinstance(default, (list, tuple)):
        return [default]
    return [each for part in default for each in _flat(part)]
