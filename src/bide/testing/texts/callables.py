"""Texts, defaults and formats that are callables, for backends that can hold them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bide.i18n import I18n, Key

GENITIVE = ["января", "февраля", "марта"]
NOMINATIVE = ["Январь", "Февраль", "Март"]


def months(_key: Any, format: str = "", **_: Any) -> list[str | None]:  # noqa: A002 - the option's name
    """The grammatical form that the pattern asks for."""
    return [None, *(GENITIVE if "%d" in format else NOMINATIVE)]


def echo(key: Any, **values: Any) -> str:
    """Shows what it was called with."""
    return f"{key}: {values}"


class CallablesContract:
    """What a callable is called with, and what becomes of its answer."""

    holds_callables = True

    @pytest.fixture
    def called(self, i18n: I18n) -> I18n:
        """Texts that are callables."""
        if not self.holds_callables:
            pytest.skip("this backend cannot hold callables")
        i18n.store(
            "en",
            {
                "echo": echo,
                "filled": lambda _key, **_: "Hi %{name}",
                "forms": lambda _key, **_: {"one": "one", "other": "%{count}"},
                "date": {"formats": {"proc": echo}, "month_names": months},
                "time": {"formats": {"proc": echo}},
            },
        )
        return i18n

    def test_a_text_is_called_with_key_and_values(self, called: I18n) -> None:
        """I18N-134, I18N-135, I18N-137."""
        assert called.t("echo", foo="foo") == "echo: {'foo': 'foo'}"
        assert called.t("echo") == "echo: {}"
        assert called.t("no", default=Key("echo"), a=1) == "echo: {'a': 1}"
        assert called.t("no", default=[Key("echo"), "D"], a=1) == "echo: {'a': 1}"

    def test_a_default_is_called_too(self, called: I18n) -> None:
        """I18N-136, I18N-208."""
        assert called.t(None, default=echo, foo=1) == "None: {'foo': 1}"

    def test_the_answer_is_filled_and_pluralised(self, called: I18n) -> None:
        """I18N-139, I18N-140."""
        assert called.t("filled", name="Bo") == "Hi Bo"
        assert called.t("forms", count=1) == "one"
        assert called.t("forms", count=5) == "5"

    def test_resolving_can_be_switched_off(self, called: I18n) -> None:
        """I18N-141, I18N-142."""
        assert called.t("echo", resolve=False) is echo
        assert called.t("no", default=echo, resolve=False) is echo

    def test_a_callable_is_asked_every_time(self, called: I18n) -> None:
        """No memory may keep an answer."""
        count = iter(range(10))
        called.store("en", {"next": lambda _key, **_: str(next(count))})
        assert [called.t("next") for _ in range(3)] == ["0", "1", "2"]

    def test_names_see_the_pattern(self, called: I18n) -> None:
        """I18N-086..088."""
        day = date(2008, 3, 1)
        assert called.l(day, format="%d %B") == "01 марта"
        assert called.l(day, format="%B") == "Март"

    def test_a_format_is_called_with_the_moment(self, called: I18n) -> None:
        """I18N-089..094."""
        day, moment = date(2008, 3, 1), datetime(2008, 3, 1, 6, tzinfo=UTC)
        assert called.l(day, format=Key("proc")) == "2008-03-01: {}"
        assert called.l(day, format=Key("proc"), a=1) == "2008-03-01: {'a': 1}"
        assert called.l(moment, format=Key("proc")) == "2008-03-01 06:00:00+00:00: {}"
        assert called.l(moment, format=Key("proc"), a=1).endswith("{'a': 1}")
