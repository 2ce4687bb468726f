"""Fallbacks: other locales, and the order of locales and defaults."""

import threading
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bide.errors import InvalidPluralizationData, MissingTranslationData
from bide.i18n import Chain, Fallbacks, I18n, Key, LocaleFallbacks, Pluralization, Simple

EN = {
    "foo": "Foo in :en", "bar": "Bar in :en", "buz": "Buz in :en", "plural": {"one": "1", "other": "%{count}"},
    "interpolate": "Interpolate %{value}", "link": Key("foo"),
}  # fmt: skip
DE = {"bar": "Bar in :de", "baz": "Baz in :de", "interpolate": "Interpoliere %{value}", "foo2": "x"}


@pytest.fixture
def i18n() -> I18n:
    backend = Fallbacks(Simple(), "en")
    for locale, data in (
        ("en", EN),
        ("de", DE),
        ("de-DE", {"baz": "Baz in :de-DE"}),
        ("pt", {"a": "b"}),
    ):
        backend.store(locale, data)
    return I18n(backend)


def test_a_text_is_taken_from_the_nearest_locale(i18n: I18n) -> None:
    """I18N-201..203, I18N-218."""
    assert i18n.t("foo", locale="en") == "Foo in :en"
    assert i18n.t("bar", locale="de") == "Bar in :de"
    assert [i18n.t("bar", locale="de-DE") for _ in range(3)] == ["Bar in :de"] * 3
    assert i18n.t("interpolate", locale="de-DE") == "Interpoliere %{value}"
    assert i18n.t("interpolate", locale="de-DE", value=1) == "Interpoliere 1"
    with pytest.raises(MissingTranslationData):
        i18n.t("faa", locale="en", raise_=True)


def test_defaults_and_locales_have_an_order(i18n: I18n) -> None:
    """I18N-205..210, I18N-213..216, I18N-221."""
    assert i18n.t("missing", locale="de", default="D") == "D"
    assert i18n.t("foo", locale="de", default="D") == "Foo in :en"
    assert i18n.t("foo", locale="de", default=Key("baz")) == "Baz in :de"
    assert i18n.t("bar", locale="de", default=Key("buz")) == "Bar in :de"
    assert i18n.t("missing", locale="de-DE", default=lambda _key, **_: "called") == "called"
    assert i18n.t("missing", locale="de-DE", default={"x": "y"}) == {"x": "y"}
    assert i18n.t("buz", locale="de", default=None) == "Buz in :en"
    assert i18n.t("missing", locale="de", default=None) is None
    assert i18n.t("missing", locale="de", default=[Key("nope"), Key("buz"), "D"]) == "Buz in :en"
    assert i18n.t("missing", locale="de", default=[Key("nope"), "D", Key("buz")]) == "D"
    assert i18n.t("missing", locale="de", default=[Key("nope"), {"one": "1"}], count=1) == "1"
    assert i18n.t("buz", locale="de", default="D", fallback=False) == "D"
    assert i18n.t("missing", locale="de", default="D %{count}", count=1) == "D 1"


def test_values_and_counts_reach_the_default_key(i18n: I18n) -> None:
    """I18N-204, I18N-227."""
    assert i18n.t("missing", locale="de", default=Key("interpolate"), value=5) == "Interpoliere 5"
    assert i18n.t("missing", locale="de", default=[Key("plural")], count=5) == "5"
    i18n.store("en", {"s": {"cars": {"one": "a car", "other": "%{count} cars"}}})
    found = i18n.t("missing", scope="s", locale="de-DE", default=[Key("cars")], count=2)
    assert found == "2 cars"


def test_the_message_lists_what_was_considered(i18n: I18n) -> None:
    """I18N-211, I18N-212, I18N-219."""
    text = i18n.t("missing", locale="de", default=[Key("a"), Key("b")])
    assert text.endswith("considered were:\n- de.missing\n- de.a\n- de.b")
    assert i18n.t("missing", locale="de", default=[]) == "Translation missing: de.missing"
    assert i18n.t("missing", locale="de", default="one\ntwo") == "one\ntwo"


def test_falling_back_can_be_switched_off(i18n: I18n) -> None:
    """I18N-217, I18N-235, I18N-244."""
    with pytest.raises(MissingTranslationData):
        i18n.t("foo", locale="de", fallback=False, raise_=True)
    assert i18n.exists("foo", "de")
    assert not i18n.exists("foo", "de", fallback=False)


def test_locales_that_are_not_available_are_skipped(i18n: I18n) -> None:
    """I18N-220, I18N-237."""
    for backend in (i18n.backend, Fallbacks(Chain(i18n.backend, Simple()), "en")):
        other = I18n(backend, available_locales=["en", "de-DE"])
        assert other.t("bar", locale="de-DE") == "Bar in :en"


def test_fallbacks_of_one_context_stay_there(i18n: I18n) -> None:
    """I18N-222, I18N-225."""
    shared = I18n(Fallbacks(Simple()), fallbacks=["en"])
    shared.store("en", {"a": "en a"})
    shared.store("pt", {"a": "pt a"})
    shared.store("de", {"b": "b"})
    found: list[str] = []
    with shared.with_fallbacks("pt"):
        assert shared.t("a", locale="de") == "pt a"
        thread = threading.Thread(target=lambda: found.append(shared.t("a", locale="de")))
        thread.start()
        thread.join()
    assert found == ["en a"]
    assert shared.t("a", locale="de") == "en a"


def test_anything_with_brackets_is_a_list_of_locales() -> None:
    """I18N-224."""

    class Lists:
        def __getitem__(self, locale: str) -> list[str]:
            return [locale, "en"]

    i18n = I18n(Fallbacks(Simple()), fallbacks=Lists())
    i18n.store("en", {"a": "A"})
    i18n.store("de", {"b": "B"})
    assert i18n.t("a", locale="de") == "A"
    i18n.fallbacks = {"de": ["de"]}
    assert i18n.t("a", locale="de", default="no") == "no"


def test_moments_find_formats_and_names_elsewhere() -> None:
    """I18N-223, I18N-229, I18N-231."""
    i18n = I18n(Fallbacks(Simple(), "en"), enforce_available_locales=False)
    i18n.store("en", {"date": {"formats": {"short": "%b"}, "abbr_month_names": [None, "Jan"]},
                      "time": {"formats": {"fmt": "%M in english"}}})  # fmt: skip
    i18n.store("de", {"date": {"abbr_month_names": [None, "Jänner"]}})
    assert (
        i18n.l(datetime(2020, 1, 1, 1, 5, tzinfo=UTC), format=Key("fmt"), locale="xx")
        == "05 in english"
    )
    assert i18n.l(date(2020, 1, 1), format=Key("short"), locale="de-AT") == "Jänner"


def test_a_link_met_elsewhere_starts_again_at_the_wanted_locale(i18n: I18n) -> None:
    """I18N-226."""
    i18n.store("de", {"foo": "Foo in :de"})
    assert i18n.t("link", locale="de") == i18n.t("link", locale="de") == "Foo in :de"


def test_a_chain_inside_falls_back_as_a_whole() -> None:
    """I18N-232..234, I18N-236, I18N-242, I18N-243."""
    one, two = Simple(), Simple()
    one.store("de", {"foo": "Foo in :de", "s": {"x": "X"}})
    two.store("de-DE", {"bar": "Bar in :de-DE"})
    i18n = I18n(Fallbacks(Chain(one, two)))
    assert i18n.t("foo", locale="de-DE") == "Foo in :de"
    assert i18n.exists("foo", "de-DE")
    assert i18n.exists("x", "de-DE", scope="s")
    assert not i18n.exists("no", "de-DE")
    assert i18n.t(["foo", "bar"], locale="de-DE") == ["Foo in :de", "Bar in :de-DE"]


def test_a_hook_hears_of_every_fallback() -> None:
    """I18N-245, I18N-246."""
    heard: list[Any] = []
    backend = Fallbacks(
        Simple(), "en", on_fallback=lambda asked, found, key, options: heard.append((asked, found, key, dict(options)))
    )  # fmt: skip
    backend.store("en", {"a": "A"})
    backend.store("de", {"b": "B"})
    i18n = I18n(backend)
    for _ in range(2):
        i18n.t("a", locale="de", count=1)
        i18n.t("b", locale="de")
    assert heard == [("de", "en", "a", {"count": 1})] * 2


def test_forms_without_a_text_are_taken_from_the_parent() -> None:
    """I18N-296, I18N-297."""
    i18n = I18n(Fallbacks(Pluralization(Simple())))
    i18n.store("en", {"d": {"one": "one day", "other": "%{count} days"}})
    i18n.store("en-GB", {"d": {"one": None, "other": None}})
    assert [i18n.t("d", count=count, locale="en-GB") for count in (1, 2)] == ["one day", "2 days"]
    russian = {
        "one": "%{count} год",
        "few": "%{count} года",
        "many": "%{count} лет",
        "other": "%{count} года",
    }
    i18n.store("ru", {"y": russian})
    i18n.store("ru-KG", {"y": dict.fromkeys(russian)})
    years = [i18n.t("y", count=count, locale="ru-KG") for count in (0, 1, 2, 1.5)]
    assert years == ["0 лет", "1 год", "2 года", "1.5 года"]


def test_an_incomplete_plural_is_looked_for_elsewhere() -> None:
    """D15."""
    i18n = I18n(Fallbacks(Simple(), "en"))
    i18n.store("en", {"n": {"one": "1", "other": "%{count} en"}, "m": {"one": "1"}})
    i18n.store("de", {"n": {"one": "eins"}, "m": {"one": "1"}})
    assert [i18n.t("n", count=count, locale="de") for count in (1, 2, 1, 2)] == ["eins", "2 en"] * 2
    with pytest.raises(InvalidPluralizationData):
        i18n.t("m", count=2, locale="de")


def test_the_list_may_be_given_to_the_ability() -> None:
    i18n = I18n(Fallbacks(Simple(), LocaleFallbacks(map={"ca": "es"})))
    i18n.store("es", {"a": "A"})
    i18n.store("ca", {"b": "B"})
    assert i18n.t("a", locale="ca") == "A"
