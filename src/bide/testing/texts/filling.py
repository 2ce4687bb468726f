"""Filling placeholders with values."""

from __future__ import annotations

import pytest

from bide.errors import (
    InvalidTextArgument,
    MissingInterpolationArgument,
    ReservedInterpolationKey,
)
from bide.i18n import I18n


class FillingContract:
    """What becomes of `%{name}`."""

    @pytest.fixture
    def greeting(self, i18n: I18n) -> I18n:
        """Texts with placeholders."""
        i18n.store(
            "en",
            {
                "hi": "Hi %{name}!",
                "esc": "Hi %%{name}!",
                "list": ["Hi %{name}", "Bye %{name}"],
                "deep": {"a": "%{name}", "b": ["%{name}", 1]},
                "two": "%{a} and %{b}",
            },
        )
        return i18n

    def test_without_values_a_text_stays_untouched(self, greeting: I18n) -> None:
        """I18N-017, I18N-024, I18N-202."""
        assert greeting.t("hi") == "Hi %{name}!"
        assert greeting.t("esc") == "Hi %%{name}!"
        assert greeting.t("esc", name="x") == "Hi %{name}!"

    def test_values_replace_placeholders(self, greeting: I18n) -> None:
        """I18N-018..020, I18N-025, I18N-027..029."""
        for name in ("David", "ゆきひろ", 5, None, "David"):
            shown = "" if name is None else name
            assert greeting.t("hi", name=name) == f"Hi {shown}!"
        assert greeting.t("two", a=1, b="x") == greeting.t("two", a=1, b="x") == "1 and x"
        assert greeting.t(None, default="こんにちは、%{n|x}!", **{"n|x": "É"}) == "こんにちは、É!"

    def test_a_callable_value_is_called_when_it_is_needed(self, greeting: I18n) -> None:
        """I18N-021, I18N-022, I18N-138."""
        calls: list[object] = []

        def name(values: dict[str, object]) -> str:
            calls.append(values)
            return "called"

        assert greeting.t("two", a="1", b="2", name=name) == "1 and 2"
        assert calls == []
        assert greeting.t("hi", name=name) == "Hi called!"
        assert len(calls) == 1

    def test_a_placeholder_without_its_value_raises(self, greeting: I18n) -> None:
        """I18N-023, I18N-200."""
        with pytest.raises(MissingInterpolationArgument, match=r"'name' in 'Hi %\{name\}!'.*foo"):
            greeting.t("hi", foo="bar")

    def test_every_text_of_a_list_is_filled(self, greeting: I18n) -> None:
        """I18N-026."""
        assert greeting.t("list", name="Bo") == ["Hi Bo", "Bye Bo"]

    def test_bytes_are_refused(self, greeting: I18n) -> None:
        """I18N-030, I18N-031; what comes back is always str: I18N-032..034."""
        with pytest.raises(InvalidTextArgument, match="decode"):
            greeting.t("hi", name=b"David")
        assert type(greeting.t("two", a="é", b=1)) is str or isinstance(greeting.t("hi"), str)

    def test_the_name_of_an_option_is_no_placeholder(self, greeting: I18n) -> None:
        """I18N-035, I18N-036."""
        greeting.store("en", {"res": "a %{scope}", "escaped": "a %%{scope}"})
        for options in ({}, {"x": 1}):
            with pytest.raises(ReservedInterpolationKey, match="scope"):
                greeting.t("res", **options)
            with pytest.raises(ReservedInterpolationKey, match="default"):
                greeting.t(None, **{**options, "default": "%{default}"})
        assert greeting.t("escaped") == "a %%{scope}"
        assert greeting.t("escaped", x=1) == "a %{scope}"

    def test_deep_interpolation_reaches_everything(self, greeting: I18n) -> None:
        """I18N-037..040."""
        assert greeting.t(None, default="Hi %{name}", deep_interpolation=True) == "Hi %{name}"
        assert greeting.t("hi", name="Bo", deep_interpolation=True) == "Hi Bo!"
        filled = greeting.t("deep", name="Bo", deep_interpolation=True)
        assert filled == {"a": "Bo", "b": ["Bo", 1]}
        assert greeting.t("deep", name="Bo")["a"] == "%{name}"
