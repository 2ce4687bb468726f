"""YAML as Ruby reads it."""

import math

import pytest

from bide.i18n.keys import Key
from bide.i18n.psych import PsychError, load, plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True), ("On", True), ("NO", False), ("off", False), ("y", "y"), ("n", "n"),
        ("~", None), ("null", None), ("", None), ("nUll", "nUll"),
        (":a", Key("a")), (':"a b"', Key("a b")), (":", ":"), ("::a", "::a"),
        ("1", 1), ("1,000", 1000), ("1_000", 1000), ("-5", -5), ("010", 8), ("0x1F", 31),
        ("0b101", 5), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("1.2.3", "1.2.3"), ("+", "+"),
        (".", "."), (".inf", math.inf), ("12:30:45", 45045), ("2008-03-01", "2008-03-01"),
        ("9" * 200, "9" * 200), ("text", "text"), ("1 a", "1 a"),
    ],
)  # fmt: skip
def test_a_plain_word_has_rubys_value(text: str, value: object) -> None:
    found = plain(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_words_are_text() -> None:
    assert load("a: \"yes\"\nb: ':x'\nc: |\n  5\n") == {"a": "yes", "b": ":x", "c": "5\n"}


def test_locales_on_top_are_text_and_keys_below_are_rubys() -> None:
    found = load("no:\n  yes: a\n  1: b\n  :sym: c\n", locales_on_top=True)
    assert found == {"no": {"true": "a", 1: "b", "sym": "c"}}


def test_anchors_and_merges_work() -> None:
    found = load("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n")
    assert found == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 3}}


@pytest.mark.parametrize(
    "text",
    [
        "a: !ruby/object:OpenStruct {}",
        "a: !!python/name:os.system ''",
        "a: !!binary aGk=",
        "a: &a [*a]",
        "a: [",
        "[a, b]: c",
        "[" * 5000,
    ],
)
def test_objects_loops_and_nonsense_are_refused(text: str) -> None:
    """D18."""
    with pytest.raises(PsychError):
        load(text)


def test_a_bomb_of_aliases_is_refused() -> None:
    from bide.errors import InvalidTextArgument
    from bide.i18n.trees import freeze

    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(InvalidTextArgument, match="more than"):
        freeze(load("\n".join(lines)))
