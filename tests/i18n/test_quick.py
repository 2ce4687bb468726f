"""The shortest way to a text gives what the whole way gives."""

from __future__ import annotations

import sys
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest

from bide.errors import Disabled, InvalidLocale, MissingTranslationData
from bide.i18n import I18n, Simple


@pytest.fixture
def i18n() -> I18n:
    i18n = I18n(Simple())
    i18n.store("en", {"a": "A", "two": "%{x} %{y}", "n": {"one": "%{count} car", "other": "%{count} cars"},
                      "c": "%{count} %{count}", "only": "<%{count}>", "plain": "P"})  # fmt: skip
    i18n.store(
        "de",
        {"a": "Ä", "two": "%{y} %{x}", "n": {"one": "%{count} Auto", "other": "%{count} Autos"}},
    )
    return i18n


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("a", {}), ("a", {"locale": "de"}), ("a", {"locale": None}), ("a", {"count": 2}), ("a", {"x": 1}),
    ("two", {"x": "<", "y": 2}), ("two", {"x": 1, "y": 2, "locale": "de"}), ("two", {"x": 1, "y": 2, "z": 3}),
    ("n", {"count": 1}), ("n", {"count": 3}), ("n", {"count": True}), ("n", {"count": 1.0}), ("n", {"count": Decimal(1)}),
    ("n", {"count": None}), ("n", {"count": -1}), ("n", {"count": 3, "locale": "de"}), ("n", {"count": 3, "x": 1}),
    ("n", {"count": 10**20}), ("n", {}), ("c", {"count": 3}), ("only", {"count": 3}), ("only", {"count": "3"}), ("only", {}),
    ("plain", {"count": 1}), ("plain", {"default": "D"}), ("missing", {"default": "D"}),
    ("a", {"scope": ""}), ("plain", {"locale": "de"}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "options"), CALLS)
@pytest.mark.parametrize("locale", [None, "de"])
def test_known_texts_are_told_as_at_the_first_time(
    i18n: I18n, key: str, options: dict[str, Any], locale: str | None
) -> None:
    with i18n.with_locale(locale):
        first = i18n.translate(key, **options)
        given = dict(options)
        for _ in range(3):
            assert i18n.t(key, **options) == first
        for other in (1, 2, 3):
            i18n.t(key, count=other, x=1, y=2, default="")
            assert i18n.t(key, **options) == first
        with i18n.pinned():
            assert i18n.t(key, **options) == first
            assert i18n.t(key, **options) == first
        assert options == given


def test_more_counts_than_are_remembered_are_right(i18n: I18n) -> None:
    for _ in range(2):
        assert [i18n.t("n", count=n) for n in range(2, 500)] == [f"{n} cars" for n in range(2, 500)]


def test_a_pinned_context_does_not_hear_of_a_change_and_others_do(i18n: I18n) -> None:
    import contextvars

    elsewhere = contextvars.copy_context()
    with i18n.pinned():
        assert i18n.t("a") == "A"
        i18n.store("en", {"a": "B"})
        assert i18n.t("a") == "A"
        assert elsewhere.run(i18n.t, "a") == "B"
        assert elsewhere.run(i18n.t, "a") == "B"
        assert i18n.t("a") == "A"
    assert i18n.t("a") == "B"


def test_pinned_texts_are_looked_up_as_fast_as_others_until_they_are_changed(i18n: I18n) -> None:
    quick = i18n._quick

    def job(text: str) -> str:
        assert (i18n.locale, i18n.t("a"), quick.aside) == ("de", "Ä", False)
        i18n.store("de", {"a": text})
        assert (i18n.t("a"), quick.aside) == ("Ä", True)
        with i18n.pinned():
            return f"{i18n.t('a')} {quick.aside}"

    assert i18n.speaking("de", job, "Ö", unheard) == "Ä True"
    assert (i18n.locale, i18n.t("a", locale="de"), quick.aside) == ("en", "Ö", False)


def test_an_unknown_locale_is_told_and_not_spoken(i18n: I18n) -> None:
    told: list[tuple[str, type[Exception]]] = []
    for _ in range(2):
        spoken = i18n.speaking(
            "xx",
            lambda key: (i18n.locale, i18n.t(key)),
            "a",
            lambda key, error: told.append((key, type(error))),
        )
        assert spoken == ("en", "A")
    assert told == [("a", InvalidLocale)] * 2
    i18n.store("en", {"a": "B"})
    assert i18n.t("a") == "B"


def test_who_raises_while_speaking_leaves_nothing_behind(i18n: I18n) -> None:
    def job(key: str) -> None:
        i18n.store("de", {key: "Ö"})
        raise InvalidLocale("of the job's own")

    with pytest.raises(InvalidLocale, match="own"):
        i18n.speaking("de", job, "a", unheard)
    assert (i18n.locale, i18n.t("a", locale="de"), i18n._quick.aside) == ("en", "Ö", False)


def unheard(*_: object) -> None:
    raise AssertionError


def test_other_fallbacks_hold_in_their_context_only(i18n: I18n) -> None:
    import contextvars

    elsewhere = contextvars.copy_context()
    i18n.t("a")
    with i18n.with_fallbacks("de"):
        assert i18n._quick.aside
        assert elsewhere.run(i18n.t, "a") == i18n.t("a") == "A"
    assert not i18n._quick.aside


def test_a_known_text_is_not_told_where_texts_are_disabled(i18n: I18n) -> None:
    i18n.t("a")
    with i18n.with_locale(False), pytest.raises(Disabled):
        i18n.t("a")
    with pytest.raises(Disabled):
        i18n.t("a", locale=False)


def test_keys_that_no_dict_takes_are_translated_too(i18n: I18n) -> None:
    assert i18n.t(["a", "plain"]) == ["A", "P"]
    with pytest.raises(MissingTranslationData):
        i18n.t("nowhere", raise_=True)


def test_subclasses_may_change_t_and_translate() -> None:
    class Loud(I18n):
        def t(self, key: Any = None, /, **options: Any) -> Any:
            return super().t(key, **options).upper()

    class Counting(I18n):
        asked = 0

        def translate(self, key: Any = None, /, **options: Any) -> Any:
            self.asked += 1
            return super().translate(key, **options)

    loud, counting = Loud(Simple()), Counting(Simple())
    for each in (loud, counting):
        each.store("en", {"a": "Aa"})
    assert [loud.t("a"), loud.t("a")] == ["AA", "AA"]
    assert [counting.t("a"), counting.t("a")] == ["Aa", "Aa"]
    assert counting.asked == 2


def test_a_time_limit_that_rings_between_the_steps_of_its_end_leaves_nothing_behind(
    i18n: I18n,
) -> None:
    """An alarm is heard when a call of C returns."""

    class Rung(BaseException):
        pass

    class Bell:
        ended = False

        def __init__(self, left: int) -> None:
            self.left = left

        def __call__(self, frame: FrameType, event: str, _: object) -> None:
            if self.ended and event == "c_return" and frame.f_code is I18n.speaking.__code__:
                self.left -= 1
                if self.left == -1:
                    raise Rung

    def job(bell: Bell) -> None:
        bell.ended = True

    rang, steps = True, 0
    while rang:
        bell = Bell(steps)
        sys.setprofile(bell)
        try:
            i18n.speaking("de", job, bell, unheard)
            rang = False
        except Rung:
            steps += 1
        finally:
            sys.setprofile(None)
        assert (i18n.locale, i18n._pinned.get(), i18n._pins) == ("en", None, []), steps
    assert steps >= 2
