"""Chain and Cascade: several sources, several scopes."""

from collections.abc import Mapping
from typing import Any

import pytest

from bide.errors import (
    InvalidPluralizationData,
    MissingInterpolationArgument,
    MissingTranslationData,
)
from bide.i18n import Cascade, Chain, I18n, Key, KeyValue, Simple


def simple(**texts: Any) -> Simple:
    backend = Simple()
    backend.store("en", texts)
    return backend


@pytest.fixture
def chain() -> I18n:
    first = simple(
        foo="Foo", formats={"short": "short", "sub": {"a": "a"}}, plural_1={"one": "%{count}"}
    )
    second = simple(
        bar="Bar",
        formats={"short": "other", "long": "long", "sub": {"b": "b"}},
        plural_2={"one": "one"},
        dup="second",
        gone="found",
    )
    first.store("en", {"dup": "first", "gone": None, "plural_1": {"other": "%{count} of 1"}})
    return I18n(Chain(first, second))


def test_every_member_is_asked_in_order(chain: I18n) -> None:
    """I18N-176..179, I18N-191."""
    assert chain.t("foo") == "Foo"
    assert chain.t("bar") == "Bar"
    assert chain.t("dup") == "first"
    assert chain.t("gone") == "found"
    assert chain.t("bar", default="D") == "Bar"
    assert chain.t("no", default="D") == "D"
    assert chain.t(None, default={"one": "%{count} d"}, count=1) == "1 d"
    assert chain.t(None, default={"a": "b"}) == {"a": "b"}
    assert chain.t(None, default=Key("bar")) == "Bar"


def test_namespaces_are_joined_and_the_first_wins(chain: I18n) -> None:
    """I18N-181..183; one without counterpart comes whole."""
    both = {"short": "short", "long": "long", "sub": {"a": "a", "b": "b"}}
    assert chain.t("formats") == both
    assert chain.t("sub", scope="formats") == {"a": "a", "b": "b"}
    assert chain.t("plural_1") == {"one": "%{count}", "other": "%{count} of 1"}


def test_a_count_takes_the_first_entry_that_has_the_form(chain: I18n) -> None:
    """I18N-184, I18N-185."""
    assert chain.t("plural_1", count=1) == "1"
    assert chain.t("plural_2", count=1) == "one"
    assert chain.t(["foo", "bar", "no"], default="D") == ["Foo", "Bar", "D"]


def test_stores_and_loads_reach_whom_they_should() -> None:
    """I18N-186..190."""
    seen: list[Any] = []

    class Noting(Simple):
        def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
            seen.append(options)
            super().store(locale, data, **options)

    one, two = Noting(), Simple()
    chain = Chain(one, two)
    assert not chain.initialized()
    chain.eager_load()
    assert chain.initialized()
    chain.store("en", {"a": "b"}, trusted=True)
    assert seen == [{"trusted": True}]
    assert "en" not in two.translations()
    plain = Chain(Simple(), Simple())
    plain.eager_load()
    plain.members[1].store("de", {"a": "b"})
    plain.reload()
    assert plain.translations() == {}


def test_all_texts_are_joined_too(chain: I18n) -> None:
    """I18N-192."""
    texts = chain.backend.translations()["en"]
    assert texts["dup"] == "first"
    assert texts["gone"] == "found"
    assert texts["formats"]["sub"] == {"a": "a", "b": "b"}


@pytest.mark.parametrize("subtrees", [True, False])
def test_a_store_of_keys_can_be_a_member(subtrees: bool) -> None:
    """I18N-193..196."""
    first = KeyValue({}, subtrees=subtrees)
    first.store("en", {"plural": {"one": "%{count}", "other": "%{count} kv"}})
    i18n = I18n(Chain(first, simple(other={"one": "1", "other": "%{count} bars"})))
    assert i18n.t("plural", count=2) == "2 kv"
    assert i18n.t("other", count=2) == "2 bars"


def test_a_later_text_does_not_erase_a_namespace() -> None:
    """D15."""
    i18n = I18n(Chain(simple(a={"x": 1}), simple(a="text")))
    assert i18n.t("a") == {"x": 1}
    assert i18n.t("a", default="D") == {"x": 1}


def test_an_incomplete_plural_does_not_hide_a_complete_one() -> None:
    """D15."""
    i18n = I18n(Chain(simple(a={"one": "1"}), simple(a={"one": "2", "other": "%{count}"})))
    assert [i18n.t("a", count=count) for count in (1, 5)] == ["1", "5"]
    alone = I18n(Chain(simple(a={"one": "1"}), simple()))
    with pytest.raises(InvalidPluralizationData):
        alone.t("a", count=2)


def test_an_edited_text_that_cannot_be_filled_falls_through() -> None:
    class Edited(Simple):
        edited_live = True

    edited = Edited()
    edited.store("en", {"hi": "Hi %{nmae}", "res": "%{scope}"})
    i18n = I18n(Chain(edited, simple(hi="Hello %{name}", res="plain")))
    assert i18n.t("hi", name="Bo") == "Hello Bo"
    assert i18n.t("res", name="Bo") == "plain"
    with pytest.raises(MissingInterpolationArgument):
        I18n(Chain(simple(hi="Hi %{nmae}"), simple(hi="Hello"))).t("hi", name="Bo")


@pytest.fixture
def cascade() -> I18n:
    backend = Cascade(Simple())
    backend.store("en", {"foo": "foo", "bar": {"baz": "baz"}, "a": {"b": {"c": "abc"}}})
    return I18n(backend)


def test_scopes_are_cut_until_the_key_is_found(cascade: I18n) -> None:
    """I18N-168..170, I18N-173."""
    assert cascade.t("foo", cascade=True) == "foo"
    assert cascade.t("baz", scope="bar", cascade=True) == "baz"
    assert cascade.t("baz", scope="bar.missing.more", cascade=True) == "baz"
    assert cascade.t("a.x.y.b.c", cascade={"offset": 2}) == "abc"
    with pytest.raises(MissingTranslationData):
        cascade.t("foo.missing", cascade=True, raise_=True)
    assert cascade.t("foo", cascade={"offset": 2}) == "foo"


def test_cascading_comes_before_the_default_and_serves_it(cascade: I18n) -> None:
    """I18N-171, I18N-172."""
    assert cascade.t("x.y.foo", cascade=True, default="D") == "foo"
    assert cascade.t("missing", scope="x", cascade=True, default=Key("foo")) == "foo"


def test_the_order_that_forms_and_views_need(cascade: I18n) -> None:
    """I18N-174, I18N-175."""
    options: dict[str, Any] = {
        "scope": "errors.reply.title", "default": [Key("reply.blank"), Key("blank")],
        "cascade": {"step": 2, "offset": 2},
    }  # fmt: skip
    cascade.store("en", {"errors": {"blank": "generic"}})
    assert cascade.t("blank", scope="errors.reply.title", cascade=True) == "generic"
    cascade.store("en", {"errors": {"reply": {"title": {"blank": "own"}}}})
    assert cascade.t("blank", **options) == "own"
    cascade.store("en", {"views": {"tag": {"kw": "tags"}}})
    assert cascade.t("views.posts.list.tag.kw", cascade={"offset": 2}) == "tags"
