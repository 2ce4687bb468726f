"""Looking up: keys, scopes, separators, lists, locales, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from bide.errors import InvalidTextArgument, MissingTranslationData
from bide.i18n import I18n

DATA: dict[str, Any] = {
    "string": "a",
    "hash": {"a": "x", "b": {"c": "y"}},
    "list": ["a", "b"],
    "yes": True,
    "no": False,
    "foo": {"bar": "bar", "baz": "baz"},
}


class LookupContract:
    """What a key finds."""

    @pytest.fixture
    def texts(self, i18n: I18n) -> I18n:
        """Texts of every kind in English."""
        i18n.store("en", DATA)
        return i18n

    def test_every_kind_of_value_comes_back(self, texts: I18n) -> None:
        """I18N-111..115."""
        for key, value in DATA.items():
            for _ in range(2):
                found = texts.t(key)
                assert found == value
                assert type(found) is type(value) or isinstance(found, (str, list, dict))

    def test_a_missing_text_gives_a_message_or_an_error(self, texts: I18n) -> None:
        """I18N-116, I18N-117, I18N-198, I18N-475..476."""
        assert texts.t("missing") == "Translation missing: en.missing"
        assert texts.t("c.d", scope="a.b") == "Translation missing: en.a.b.c.d"
        assert texts.t(["x", "y"]) == [
            "Translation missing: en.x",
            "Translation missing: en.y",
        ]
        with pytest.raises(MissingTranslationData, match=r"^Translation missing: en\.missing$"):
            texts.t("missing", raise_=True)
        with pytest.raises(MissingTranslationData, match=r"en\.s\.missing"):
            texts.t_strict("missing", scope="s")

    def test_a_locale_without_texts_does_not_fail(self, texts: I18n) -> None:
        """I18N-118."""
        texts.enforce_available_locales = False
        assert texts.t("string", locale="xx") == "Translation missing: xx.string"

    def test_the_callers_options_stay_as_they_are(self, texts: I18n) -> None:
        """I18N-063, I18N-119."""
        options: dict[str, Any] = {"scope": ["foo"], "default": ["no"], "name": "x"}
        texts.t("nothing", **options)
        assert options == {"scope": ["foo"], "default": ["no"], "name": "x"}

    def test_a_list_of_keys_gives_a_list(self, texts: I18n) -> None:
        """I18N-120, I18N-469..474, I18N-479..481."""
        assert texts.t(["string", "foo.bar"]) == ["a", "bar"]
        assert texts.t(["bar", "baz"], scope="foo") == ["bar", "baz"]
        assert texts.t("c", scope=["hash", "b"]) == texts.t("c", scope=["hash.b"]) == "y"
        assert texts.t([]) == []
        assert texts.t(None) is None
        with pytest.raises(InvalidTextArgument, match="must not be empty"):
            texts.t(["string", ""])

    def test_another_separator_splits_the_key(self, texts: I18n) -> None:
        """I18N-121."""
        assert texts.t("foo|bar", separator="|") == "bar"
        assert texts.t("hash::b", scope="", separator="::") == {"c": "y"}

    def test_no_locale_means_the_current_one(self, texts: I18n) -> None:
        """I18N-122, I18N-468."""
        texts.store("de", {"string": "de a"})
        assert texts.t("string", locale=None) == "a"
        with texts.with_locale("de"):
            assert texts.t("string", locale=None) == texts.t("string") == "de a"

    def test_what_is_returned_belongs_to_the_caller(self, texts: I18n) -> None:
        """I18N-123..125; D10: nobody else sees a change of it."""
        texts.t("list").append("c")
        texts.t("hash")["b"]["c"] = "hacked"
        assert texts.t("list") == ["a", "b"]
        assert texts.t("hash") == {"a": "x", "b": {"c": "y"}}

    def test_storing_none_removes_a_text(self, texts: I18n) -> None:
        """I18N-006."""
        texts.store("en", {"string": None})
        assert texts.t("string", default="D") == "D"
        assert not texts.exists("string")

    def test_existence_is_asked_of_the_backend(self, texts: I18n) -> None:
        """I18N-005, I18N-238..241, I18N-495..501."""
        texts.store("de", {"only": "de"})
        assert texts.exists("string")
        assert texts.exists("foo")
        assert texts.exists("no")
        assert texts.exists("foo.bar")
        assert texts.exists("bar", scope="foo")
        assert texts.exists("only", "de")
        assert not texts.exists("missing")
        assert not texts.exists("foo.missing")
        assert not texts.exists("string", "de")

    def test_the_locales_are_those_with_texts(self, i18n: I18n) -> None:
        """I18N-001, I18N-004."""
        i18n.store("en", {"a": "b"})
        i18n.store("de", {"a": "b"})
        assert i18n.available_locales == ["en", "de"]
        i18n.store("fr", {"a": "b"})
        assert i18n.available_locales == ["en", "de", "fr"]

    def test_a_later_text_replaces_an_earlier_one(self, texts: I18n) -> None:
        """I18N-330, I18N-331."""
        assert texts.t("foo.bar") == "bar"
        texts.store("en", {"foo": {"bar": "new", "more": "more"}})
        assert texts.t("foo") == {"bar": "new", "baz": "baz", "more": "more"}
        assert texts.t("foo.bar") == "new"

    def test_a_text_and_a_namespace_replace_each_other(self, texts: I18n) -> None:
        """D6: never both at once."""
        texts.store("en", {"foo": "leaf"})
        assert texts.t("foo") == "leaf"
        assert texts.t("foo.bar", default="gone") == "gone"
        texts.store("en", {"foo": {"bar": "back"}})
        assert texts.t("foo") == {"bar": "back"}

    def test_keys_with_odd_characters_are_only_themselves(self, i18n: I18n) -> None:
        """D1, D2: no wildcard, no folding of case or accents."""
        i18n.store("en", {"a_b": "1", "aXb": {"c": "2"}, "Foo": "3", "a%": "4", "é": "5"})
        assert i18n.t("a_b") == "1"
        assert i18n.t("aXb.c") == "2"
        assert i18n.t("foo", default="no") == "no"
        assert i18n.t("a%") == "4"
        assert i18n.t("e", default="no") == "no"
