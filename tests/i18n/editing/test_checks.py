"""Checks of a translation against its source text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bide.i18n import Key
from bide.i18n.editing import checks
from bide.i18n.editing.checks import LONGEST, check, plain
from bide.i18n.editing.findings import MESSAGES, has_errors


def names(source: Any, target: Any, locale: str = "de", **options: Any) -> list[str]:
    return [finding.check for finding in check(source, target, locale=locale, **options)]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("Hello", "Hallo"),
        ("Hello %{name}", "%{name}, hallo"),
        ("%{a} of %<b>.2f", "%<b>5.1f von %{a}"),
        ("100%", "100 %"),
        ("100%% of %{x}", "%{x}: 100%%"),
        ("Save %d", "Sichern"),
        ("<b>x</b> & <br>y", "<br/>y <b>x</b>"),
        (" x\n", "\ny "),
        (3, 4),
        (True, False),
        (Key("a.b"), Key("a.c")),
        (["a", "b"], ["c", "d"]),
        ((None, "January"), [None, "Januar"]),
        ("Hello", None),
        (None, None),
        ({"one": "a", "other": "%{count} as"}, {"one": "ein a", "other": "%{count} a"}),
        ({"one": "%{count} a", "other": "%{count} as"}, {"one": "ein a", "other": "%{count} a"}),
        ({"other": "x"}, {"zero": "nichts", "one": "x", "other": "y"}),
        ({"other": "%{count}"}, {"0": "nichts", "1": "eins", "one": "e", "other": "%{count}"}),
    ],
)
def test_what_agrees_has_no_findings(source: Any, target: Any) -> None:
    assert check(source, target, locale="de") == []


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("Hi %{name}", "Hallo %{nom}", ["unknown_placeholder", "missing_placeholder"]),
        ("Hi", "Hallo %{name}", ["unknown_placeholder"]),
        ("Hi %{name}", "Hallo %{scope} %{name}", ["reserved_placeholder"]),
        ("Hi %{name}", "Hallo % {name}", ["broken_placeholder", "missing_placeholder"]),
        ("Hi %{name}", "Hallo %{na me}", ["broken_placeholder", "missing_placeholder"]),
        ("Hi %{name}", "Hallo %{name", ["broken_placeholder", "missing_placeholder"]),
        ("Hi %{name}", "Hallo %(name)s", ["broken_placeholder", "missing_placeholder"]),
        ("Hi %{name}", "Hallo {name}", ["missing_placeholder"]),
        ("%<n>d", "%<n>999999999d", ["refused_format"]),
        ("%<n>d", "%<n>p", ["refused_format", "other_format"]),
        ("%<n>d", "%<n>.2f", ["other_format"]),
        ("%<n>d", "%{n}", ["other_format"]),
        ("x", "x ", ["outer_space"]),
        ("\nx", "x", ["outer_space"]),
        ("x", "a\x00b", ["control_character"]),
        ("x", "a\u2028b", ["control_character"]),
        ("x", "y" * (LONGEST + 1), ["too_long"]),
        ("x", "ü" * LONGEST, ["too_long"]),
        ("<b>x</b>", "x", ["missing_markup"]),
        ("x", "<b>x</b>", ["unknown_markup"]),
        ("<b>x</b>", "<b>x", ["unbalanced_markup"]),
        ("<b>x</b>", "x</b>", ["missing_markup", "unbalanced_markup"]),
        ("x", "<script>alert(1)</script>", ["unsafe_markup", "unknown_markup"]),
        ("<b>x</b>", "<b onclick='x()'>x</b>", ["unsafe_markup"]),
        ("<a href='/'>x</a>", "<a href='java\nscript:x()'>x</a>", ["unsafe_markup"]),
        ("<a href='/'>x</a>", "<a href='&#106;avascript:x()'>x</a>", ["unsafe_markup"]),
        ("<a href='/'>x</a>", "<a href='data:text/html,x'>x</a>", ["unsafe_markup"]),
        ("x", 3, ["other_kind"]),
        ("x", ["y"], ["other_kind"]),
        (["a", "b"], ["c"], ["list_length"]),
        (["a %{x}"], ["c %{y}"], ["unknown_placeholder", "missing_placeholder"]),
    ],
)
def test_what_differs_is_found(source: Any, target: Any, found: list[str]) -> None:
    assert names(source, target) == found


def test_an_address_may_be_a_link_or_a_placeholder() -> None:
    source = "<a href='%{url}'>x</a>"
    for address in ("%{url}", "https://a.test/?x=1:2", "/a:b", "mailto:a@b", "a?b:c", "#x"):
        found = names(source, f"<a href='{address}'>y</a>")
        assert set(found) <= {"missing_placeholder"}, address


def test_what_the_developers_text_has_may_stand_in_the_translation() -> None:
    assert names("<style>a</style>", "<style>b</style>") == []


FORMS = {"one": "%{count} file", "other": "%{count} files"}


def test_every_category_of_the_locale_is_wanted_and_no_other() -> None:
    assert names(FORMS, {"one": "plik", "other": "%{count} pliku"}, "pl") == ["missing_form"]
    [finding] = check(FORMS, {"one": "a", "other": "%{count}"}, locale="pl")
    assert finding.names == ("few", "many")
    assert names(FORMS, {"one": "a", "few": "%{count}", "other": "%{count}"}) == ["unknown_form"]
    assert names(FORMS, {"other": "%{count}個"}, "ja") == []


def test_without_other_plural_forms_cannot_go_live() -> None:
    findings = check(FORMS, {"one": "eine Datei"}, locale="de")
    assert [finding.check for finding in findings] == ["missing_other"]
    assert has_errors(findings)


def test_only_forms_of_few_numbers_may_leave_the_count_out() -> None:
    target = {"one": "plik", "few": "pliki", "many": "%{count} plików", "other": "%{count} pliku"}
    [finding] = check(FORMS, target, locale="pl")
    assert (finding.check, finding.form, finding.names) == (
        "missing_placeholder",
        "few",
        ("count",),
    )


def test_the_count_may_be_said_where_the_source_does_not() -> None:
    assert names({"one": "a file", "other": "files"}, {"one": "x", "other": "%{count} x"}) == []


def test_a_single_text_for_plural_forms_and_the_reverse_are_warned_of() -> None:
    assert names(FORMS, "%{count} Dateien") == ["not_plural"]
    assert names("files", {"one": "Datei", "other": "Dateien"}) == ["unwanted_plural"]


def test_names_that_the_program_gave_count_where_the_source_is_missing() -> None:
    assert names(None, "Hallo %{who}") == []
    assert names(None, "Hallo %{who}", names=["who"]) == []
    assert names(None, "Hallo %{whom}", names=["who"]) == ["unknown_placeholder"]
    assert names("Hello", "Hallo %{who}", names=["who"]) == []


def test_own_patterns_are_placeholders_too() -> None:
    pattern = (r"\{\{(\w+)\}\}",)
    assert names("Hi {{name}}", "Hallo {{nom}}", patterns=pattern) == [
        "unknown_placeholder",
        "missing_placeholder",
    ]


def test_only_placeholders_markup_and_forms_that_break_pages_are_errors() -> None:
    warnings = ["missing_placeholder", "outer_space"]
    assert not has_errors(check("a %{b}", "c ", locale="de"))
    assert names("a %{b}", "c ") == warnings


def test_every_finding_says_what_it_is_about() -> None:
    for finding in (
        *check("Hi %{name}", "<script> %{nom} % {x} %<a>p ", locale="de"),
        *check(FORMS, {"few": "x"}, locale="de"),
    ):
        assert finding.check in MESSAGES
        assert all(name in finding.message for name in finding.names)
        assert finding.message.startswith(finding.form)


@pytest.mark.parametrize(
    "text", ["<", "<!--", "</", "<a href=", "&#x110000;", "<![CDATA[", "%<", "%"]
)
def test_hostile_beginnings_of_markup_break_nothing(text: str) -> None:
    check("x", text * 50, locale="de")
    check(text, text, locale="xx-unknown")


#: What checks look at, and a little of everything else.
PIECES = st.lists(
    st.sampled_from(
        ["%{a}", "%{b}", "%%", "%", "{a}", "%{scope}", "%{raise}x", "%{raised}", "%<a>d", "<b>", "<", ">",
         " ", "\n", "\t", "\u00a0", "\u2028", "\ufeff", "\x01", "\x1f", "word", "ü", "日本", "😀", "%{a b}"]
    ),
    max_size=5,
).map("".join)  # fmt: skip


@given(source=st.one_of(st.none(), PIECES), target=PIECES, names=st.sampled_from([(), ("a",)]))
def test_the_short_way_for_plain_texts_finds_what_the_long_way_finds(
    source: str | None, target: str, names: tuple[str, ...]
) -> None:
    long_way = sorted(
        checks._findings(source, target, "de", frozenset(names), ()), key=lambda each: each.severity
    )
    assert check(source, target, locale="de", names=names) == long_way


def test_most_texts_go_the_short_way() -> None:
    for text in ("Hallo", "%{name}, Größe: 5", "", "two\nlines", "no-break\u00a0space"):
        assert plain(text) == (("%{name}",) if "%" in text else ()), text
    for text in (
        " x",
        "x\n",
        "<b>",
        "100 %",
        "%%{a}",
        "%{scope}",
        "a\x01b",
        {"other": "x"},
        3,
        Key("a"),
    ):
        assert plain(text) is None, text
