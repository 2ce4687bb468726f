"""The words of the screens themselves: texts of their own I18n, in the viewer's language."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from bide.i18n.backends.chain import Chain
from bide.i18n.backends.database import Database, databases
from bide.i18n.backends.fallbacks import Fallbacks
from bide.i18n.backends.pluralization import Pluralization
from bide.i18n.backends.simple import Simple
from bide.i18n.snapshot import SCREENS
from bide.i18n.translator import I18n

if TYPE_CHECKING:
    from bide.app import App

#: Languages that the screens come in, each by its own name.
LANGUAGES: Final = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "ja": "日本語",
    "ar": "العربية",
}
_RIGHT_TO_LEFT: Final = {"ar", "he", "fa", "ur", "ps", "sd", "ug", "yi", "dv", "ckb", "syr"}
_FILES: Final = str(Path(__file__).parent / "locales" / "*.yml")


def words_of(app: App) -> I18n:
    """The I18n of the screens. Where the application's texts are in a table, rows in it that begin with
    `bide.` come first: so the screens' words are edited like any other text."""
    shipped = Simple(_FILES)
    edited = [] if app.i18n is None else databases(app.i18n.backend)
    rows = [
        Database(app, scope=one.scope, table=one.table, head=SCREENS) for one in edited[:1]
    ]  # fmt: skip
    members = [*rows, shipped]
    stack = members[0] if len(members) == 1 else Chain(*members)
    return I18n(
        Fallbacks(Pluralization(stack)),
        default_locale="en",
        available_locales=list(LANGUAGES),
        fallbacks=["en"],
    )


def direction_of(locale: str) -> str:
    """`rtl` for languages that are written from right to left, else `ltr`."""
    parts = locale.split("-")
    return "rtl" if parts[0] in _RIGHT_TO_LEFT or "Arab" in parts or "Hebr" in parts else "ltr"


def wanted_language(cookie: str | None, accepted: str | None) -> str:
    """The language of the viewer's choice, else the best of the browser's, else English."""
    if cookie in LANGUAGES:
        return str(cookie)
    ranked = sorted(_preferences(accepted or ""), key=lambda one: -one[1])
    for tag, quality in ranked:
        language = tag.split("-")[0].lower()
        if quality > 0 and language in LANGUAGES:
            return language
    return "en"


def _preferences(accepted: str) -> list[tuple[str, float]]:
    found: list[tuple[str, float]] = []
    for part in accepted[:500].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            found.append((tag, float(quality or 1)))
        except ValueError:
            continue
    return found
