"""Error texts: what is kept of an exception, and that every database can store it (queue.md 1.6)."""

from __future__ import annotations

import pytest

from bide.jobs.error_text import LIMIT, describe, message_of, safe


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - with its traceback
        return caught


def test_the_message_comes_first_then_the_traceback() -> None:
    """DJ-072."""
    text = describe(raised(ValueError("boom")))
    assert text.splitlines()[0] == "boom"
    assert "Traceback" in text
    assert "in raised\n    raise error" in text
    assert text.splitlines()[-1] == "ValueError: boom"


def test_causes_are_kept() -> None:
    """DJ-510."""
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("second") from error
    except ValueError as error:
        text = describe(error)
    assert "KeyError: 'first'" in text
    assert "direct cause" in text


def test_an_error_without_words_is_its_type() -> None:
    """DJ-074."""
    assert describe(raised(ValueError())).splitlines()[0] == "ValueError"
    assert message_of(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\0b", "a␀b"),
        ("a\ud800b", "a\\ud800b"),
        ("\U0001f600 é", "\U0001f600 é"),
        ("plain", "plain"),
    ],
)
def test_what_a_database_cannot_hold_is_replaced(text: str, kept: str) -> None:
    """DJ-521."""
    assert safe(text) == kept
    assert describe(raised(ValueError(text))).startswith(kept)


def test_a_long_text_keeps_both_its_ends() -> None:
    """DJ-521."""
    text = describe(raised(ValueError("begin" + "x" * 10 * LIMIT + "end")))
    assert len(text) <= LIMIT
    assert text.startswith("beginxxx")
    assert text.endswith("xxxend")
    assert "characters left out" in text


def test_how_much_was_left_out_adds_up() -> None:
    text = safe("a" * 1000, limit=200)
    left_out = int(text.split("... ")[1].split(" ")[0])
    assert text.count("a") - "characters".count("a") + left_out == 1000
