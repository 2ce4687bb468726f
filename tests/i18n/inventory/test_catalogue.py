"""Texts of all languages side by side, from whatever backends."""

from __future__ import annotations

from bide.i18n import Chain, Fallbacks, I18n, Key, Memoize, Simple
from bide.i18n.exchange.exporting import exported
from bide.i18n.inventory import reports
from bide.i18n.inventory.catalogue import Catalogue, needed_forms
from bide.i18n.inventory.usage import Usage


def i18n_with(*, fallbacks: bool = False) -> I18n:
    stack = Chain(Memoize(Simple()), Simple())
    i18n = I18n(Fallbacks(stack) if fallbacks else stack)
    i18n.store(
        "en",
        {"a": "A", "n": {"one": "1", "other": "n"}, "x.y": "dot", "menu": {"other": "Other"}, "link": Key("a"),
         "number": 3, "empty": "", "list": ["x"], 1: "int", "proc": lambda *a, **k: "p"},
    )  # fmt: skip
    i18n.store("de", {"a": "Ä", "none": None})
    i18n.store("de-AT", {"n": {"other": "n"}})
    return i18n


def test_plural_texts_need_the_forms_of_each_language() -> None:
    assert needed_forms("ru") == ("one", "few", "many", "other")
    assert needed_forms("es") == ("one", "other")
    assert needed_forms("ja") == ("other",)
    assert needed_forms("unknown") == ("one", "other")
    wanted = Catalogue(i18n_with()).wanted("ru")
    assert {key: text for key, text in wanted.items() if key.startswith("n.")} == {
        "n.one": "1", "n.few": "n", "n.many": "n", "n.other": "n",
    }  # fmt: skip


def test_only_words_must_be_translated() -> None:
    wanted = Catalogue(i18n_with()).wanted("ja")
    assert sorted(wanted) == ["1", "a", "list", "menu.other", "n.other", "x\x01y"]


def test_what_a_language_falls_back_to_is_not_missing() -> None:
    assert "a" in Catalogue(i18n_with()).missing("de-AT")
    assert "a" not in Catalogue(i18n_with(fallbacks=True)).missing("de-AT")
    assert "list" in Catalogue(i18n_with(fallbacks=True)).missing("de-AT")


def test_what_is_no_text_is_not_exported() -> None:
    catalogue = Catalogue(i18n_with())
    entries = list(exported(catalogue, ["en"], sources=catalogue.flat("en")))
    assert {entry.key for entry in entries} == {
        "a", "n.one", "n.other", "x\x01y", "menu.other", "link", "number", "empty", "list", "1",
    }  # fmt: skip


def test_links_and_the_engine_use_keys() -> None:
    i18n = I18n(Simple())
    i18n.store(
        "en",
        {"a": Key("ns"), "ns": {"x": "X"}, "date": {"x": "d"}, "kept": {"y": "y"}, "free": "f"},
    )
    nothing = Usage(frozenset(), frozenset(), (), ())
    assert list(reports.unused(Catalogue(i18n), nothing, ["kept"])) == ["a", "free"]


def test_a_language_is_not_done_before_all_is() -> None:
    assert reports.Progress("de", 1, 100_000, 99_999, 0, 0).percent == 99.9
    assert reports.Progress("de", 1, 0, 0, 0, 0).percent == 100
