"""Texts in gettext's PO files: message ids as keys, forms named as the locale needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bide.i18n.backends.base import Backend
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.po import register_plural_keys


class Gettext(Wrapper):
    """`Gettext(Simple("po/*.po"), {"ru": ("one", "few", "many")})`: what `msgstr[0]`, `[1]` … of a
    locale's files are called. The functions `_`, `ngettext` … are in bide.i18n.gettext."""

    transparent = True

    def __init__(
        self, inner: Backend, plural_keys: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        super().__init__(inner)
        for locale, keys in (plural_keys or {}).items():
            register_plural_keys(locale, *keys)
