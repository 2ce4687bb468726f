"""Defaults, plural forms and links: which text a call ends with."""

from __future__ import annotations

from typing import Any

import pytest

from bide.errors import InvalidPluralizationData, MissingTranslationData
from bide.i18n import I18n, Key

FORMS = {"zero": "zero", "one": "one", "other": "other"}


class DefaultsContract:
    """What is said when a key has no text."""

    @pytest.fixture
    def bars(self, i18n: I18n) -> I18n:
        """Two texts in a namespace."""
        i18n.store("en", {"foo": {"bar": "bar", "baz": "baz"}})
        return i18n

    def test_a_text_or_a_key_stands_in(self, bars: I18n) -> None:
        """I18N-007..010."""
        assert bars.t(None, default="default") == "default"
        assert bars.t(None, default=Key("foo.bar")) == "bar"
        assert bars.t("missing", scope="foo", default=Key("bar")) == "bar"
        assert bars.t("missing", default=[Key("no"), Key("foo.bar")]) == "bar"
        assert bars.t("missing", default=[Key("no"), "text"]) == "text"

    def test_false_is_an_answer_and_none_is_one_too(self, bars: I18n) -> None:
        """I18N-011..013."""
        assert bars.t("missing", default=[Key("no"), False]) is False
        assert bars.t("missing", default=False) is False
        assert bars.t("missing", default=None) is None
        assert bars.t("missing", default=None, raise_=True) is None

    def test_defaults_that_are_missing_too_raise(self, bars: I18n) -> None:
        """I18N-014."""
        with pytest.raises(MissingTranslationData, match="Options considered"):
            bars.t("missing", default=[Key("no"), Key("neither")], raise_=True)

    def test_a_default_key_is_split_by_the_calls_separator(self, i18n: I18n) -> None:
        """I18N-015."""
        i18n.store("en", {"foo": {"bar": "bar"}})
        assert i18n.t(None, default=Key("foo|bar"), separator="|") == "bar"

    def test_values_are_filled_in_once(self, bars: I18n) -> None:
        """I18N-016, I18N-126."""
        bars.store("en", {"greet": "Hi %{n}", "link": Key("greet")})
        assert bars.t("missing", default=Key("greet"), n="%{m}") == "Hi %{m}"
        assert bars.t("link", n="%{m}") == "Hi %{m}"

    def test_a_dict_of_forms_is_a_default(self, bars: I18n) -> None:
        """I18N-180, I18N-215."""
        forms = {"one": "%{count} bar", "other": "%{count} bars"}
        assert bars.t("missing", default=forms, count=2) == "2 bars"
        assert bars.t("missing", default={}) == {}


class PluralContract:
    """Which form a count takes."""

    @pytest.mark.parametrize(
        ("forms", "count", "form"),
        [
            (FORMS, 0, "zero"),
            ({"one": "one", "other": "other"}, 0, "other"),
            (FORMS, 1, "one"),
            (FORMS, 2, "other"),
            (FORMS, 3, "other"),
        ],
    )
    def test_the_count_chooses_the_form(
        self, i18n: I18n, forms: dict[str, str], count: int, form: str
    ) -> None:
        """I18N-127..131."""
        i18n.store("en", {"bar": forms})
        for _ in range(3):
            assert i18n.t("bar", count=count) == form
        assert i18n.t(None, default=forms, count=count) == form

    def test_no_count_gives_all_forms(self, i18n: I18n) -> None:
        """I18N-132."""
        i18n.store("en", {"bar": FORMS})
        assert i18n.t("bar", count=None) == FORMS

    def test_a_missing_form_raises(self, i18n: I18n) -> None:
        """I18N-133, I18N-263."""
        i18n.store("en", {"bar": {"one": "one"}})
        with pytest.raises(InvalidPluralizationData, match="other"):
            i18n.t("bar", count=2)

    def test_a_plain_text_takes_any_count(self, i18n: I18n) -> None:
        """I18N-266, I18N-343."""
        i18n.store("en", {"bar": "%{count} bar"})
        for count in (1, 2, 2):
            assert i18n.t("bar", count=count) == f"{count} bar"

    def test_other_languages_have_other_forms(self, i18n: I18n) -> None:
        """translations.md 6.5."""
        i18n.store("ru", {"bar": {"one": "рубль", "few": "рубля", "many": "рублей", "other": "-"}})
        words = [i18n.t("bar", count=count, locale="ru") for count in (1, 2, 5, 11, 21, 1.5)]
        assert words == ["рубль", "рубля", "рублей", "рублей", "рубль", "-"]


class LinkContract:
    """A value that names another key."""

    def test_links_are_followed_from_and_to_any_depth(self, i18n: I18n) -> None:
        """I18N-041..045."""
        data: dict[str, Any] = {
            "one": Key("foo"),
            "two": Key("deep.foo"),
            "foo": "foo",
            "deep": {"foo": "deep foo", "up": Key("foo"), "down": Key("deep.foo")},
        }
        i18n.store("en", data)
        assert i18n.t("one") == i18n.t("one") == "foo"
        assert i18n.t("two") == "deep foo"
        assert i18n.t("deep.up") == i18n.t("up", scope="deep") == "foo"
        assert i18n.t("deep.down") == "deep foo"

    def test_a_link_redirects_a_whole_namespace(self, i18n: I18n) -> None:
        """I18N-046, I18N-047."""
        i18n.store(
            "en", {"here": Key("there"), "there": {"bar": "bar", "n": {"one": "1", "other": "2"}}}
        )
        for _ in range(2):
            assert i18n.t("here.bar") == "bar"
            assert i18n.t("here.n", count=2) == "2"
            assert i18n.t("here.bar", count=2) == "bar"

    def test_a_link_replaces_whole_parts_of_a_key(self, i18n: I18n) -> None:
        """D3: never a piece of a part."""
        i18n.store("en", {"a": Key("b"), "apple": "apple", "bpple": "wrong", "b": {"a": "ba"}})
        assert i18n.t("apple") == "apple"
        assert i18n.t("a.a") == "ba"

    def test_a_loop_of_links_is_a_missing_text(self, i18n: I18n) -> None:
        """D10."""
        i18n.store("en", {"a": Key("b"), "b": Key("a"), "c": Key("c"), "d": Key("d.e")})
        for key in ("a", "c", "d", "a.x"):
            assert i18n.t(key) == f"Translation missing: en.{key}"
            assert i18n.t(key, default="D") == "D"
            assert not i18n.exists(key)
