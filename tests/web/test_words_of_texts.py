"""The editor's own words, in every language of the screens, pass the editor's own checks."""

from __future__ import annotations

import pytest

from bide.i18n import Simple
from bide.i18n.editing.checks import check
from bide.i18n.editing.entries import entries
from bide.web.words import _FILES, LANGUAGES

FILES = Simple(_FILES)
FILES.available_locales()


def words(locale: str) -> dict[str, object]:
    tree = FILES.tree(locale) or {}
    return entries("bide", tree.get("bide"))


@pytest.mark.parametrize("locale", [tag for tag in LANGUAGES if tag != "en"])
def test_no_word_of_the_editor_is_missing_or_wrong(locale: str) -> None:
    ours = ("bide.texts.", "bide.nav.texts", "bide.notices.texts_")
    english = {key: text for key, text in words("en").items() if key.startswith(ours)}
    theirs = words(locale)
    assert sorted(english.keys() - theirs.keys()) == []
    for key, text in english.items():
        found = check(text, theirs[key], locale=locale)
        allowed = {"missing_placeholder"} if isinstance(text, dict) else set()
        assert {each.check for each in found} <= allowed, (key, found)
