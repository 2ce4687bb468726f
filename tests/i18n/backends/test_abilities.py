"""Metadata, Missing, Pluralization, Transliterator, InterpolationCompiler."""

from typing import Any

import pytest

from bide.errors import InvalidTextArgument, MissingInterpolationArgument, MissingTranslation
from bide.i18n import (
    Fallbacks,
    I18n,
    InterpolationCompiler,
    Key,
    Metadata,
    Missing,
    MissingKey,
    Pluralization,
    Simple,
    Transliterator,
)
from bide.i18n.transliterate import TABLE, transliterator


def test_a_result_knows_where_it_comes_from() -> None:
    """I18N-288..294."""
    i18n = I18n(Metadata(Simple()))
    i18n.store("en", {"hi": "Hi %{name}", "s": {"n": {"one": "1", "other": "%{count}"}}})
    found = i18n.t("hi", name="Bo", default="D")
    assert found == "Hi Bo"
    assert found.metadata == {
        "locale": "en", "key": "hi", "scope": None, "default": "D", "separator": None,
        "values": {"name": "Bo"}, "original": "Hi %{name}", "count": None,
    }  # fmt: skip
    plural = i18n.t("n", scope="s", count=2)
    assert (plural, plural.metadata["count"], plural.metadata["original"]) == ("2", 2, "%{count}")


def test_lists_and_namespaces_carry_metadata_and_numbers_do_not() -> None:
    """I18N-295."""
    i18n = I18n(Metadata(Simple()))
    i18n.store("en", {"l": ["a"], "d": {"a": "b"}, "n": 5, "f": False})
    assert i18n.t("l").metadata["key"] == "l"
    assert i18n.t("d").metadata["original"] == {"a": "b"}
    assert i18n.t("n") == 5
    assert i18n.t("f") is False


def recorded(**texts: Any) -> tuple[I18n, list[MissingKey]]:
    found: list[MissingKey] = []
    i18n = I18n(Missing(Simple(), found.append))
    i18n.store("en", {"a": "A", **texts})
    return i18n, found


def test_a_missing_key_is_recorded_once_with_its_values() -> None:
    i18n, found = recorded()
    i18n.t("x.y", name="Bo", other=1)
    i18n.t("x.y", name="Bo")
    i18n.t("a")
    assert found == [MissingKey("en", "x.y", ("name", "other"))]


def test_a_key_with_a_count_is_recorded_per_form() -> None:
    """D7: also when no plural keys are stored."""
    i18n, found = recorded()
    i18n.t("n", count=2)
    assert [each.key for each in found] == ["n.one", "n.other"]
    i18n, found = recorded(i18n={"plural": {"keys": [Key("zero"), Key("other")]}})
    i18n.t("n", count=2)
    assert [each.key for each in found] == ["n.zero", "n.other"]


def test_separators_and_literal_dots_are_recorded_flat() -> None:
    i18n, found = recorded()
    i18n.t("a|b.c", separator="|")
    assert found[0].key == "a.b\x01c"


def test_what_was_answered_or_only_looked_for_is_not_recorded() -> None:
    i18n, found = recorded()
    i18n.t("no", default="D")
    i18n.exists("no")
    i18n.transliterate("x")
    assert found == []
    i18n.t("one", default=[Key("two"), Key("three")])
    assert sorted(each.key for each in found) == ["one", "three", "two"]


def test_stubs_without_text_are_missing_texts() -> None:
    """D8."""
    i18n = I18n(Simple())
    i18n.store("en", {"x": {"one": None, "other": None}})
    assert i18n.t("x", count=1) == "Translation missing: en.x"
    assert i18n.t("x", count=2, default="D") == "D"
    assert i18n.t("x", count=2, default=None) is None


def rule(n: Any) -> str:
    return "one" if n in (0, 1) else "few" if 2 <= n <= 10 else "many" if 11 <= n <= 19 else "other"


@pytest.fixture
def plural() -> I18n:
    i18n = I18n(Pluralization(Fallbacks(Simple())), fallbacks=["en"])
    forms = {name: name for name in ("zero", "one", "few", "many", "other")}
    exact = {"0": "none", "1": "single", "one": "one", "few": "few", "other": "other"}
    few = {name: name for name in ("one", "few", "other")}
    i18n.store("xx", {"i18n": {"plural": {"rule": rule}}, "all": forms, "exact": exact, "few": few})
    i18n.store("xx", {"attr": {"attributes": {"a": "b"}, "one": "1", "other": "o"}})
    i18n.store("xx-YY", {"few": few, "link": Key("hop"), "hop": Key("few")})
    i18n.store("en", {"attr": {"attributes": {"a": "b"}, "one": "1", "other": "o"}})
    i18n.store("xx", {"nest": {"one": "1", "other": "o", "in": {"one": "i1", "other": "io"}}})
    return i18n


def test_the_stored_rule_chooses(plural: I18n) -> None:
    """I18N-300..308."""

    def t(key: str, count: Any) -> Any:
        return plural.t(key, count=count, locale="xx")

    top = plural._view().backend
    assert isinstance(top, Pluralization)
    assert top.rule("xx") is rule
    assert [t("exact", count) for count in (1, 1.0)] == ["single"] * 2
    assert t("few", 1) == "one"
    assert [t("all", count) for count in (2, 11, 0)] == ["few", "many", "zero"]
    assert [t("exact", count) for count in (0, 0.0, -0)] == ["none"] * 3
    assert t("few", 0) == "one"
    assert t("few", 11) == "other"


def test_attributes_and_nested_forms_are_no_forms(plural: I18n) -> None:
    """I18N-309, I18N-310."""
    assert [
        plural.t("attr", count=count, locale=name) for name in ("xx", "en") for count in (1, 20)
    ] == ["1", "o"] * 2
    assert plural.t("nest", count=1, locale="xx") == "1"
    assert plural.t("nest.in", count=1, locale="xx") == "i1"


def test_rules_are_inherited_and_links_lead_to_forms(plural: I18n) -> None:
    """I18N-311, I18N-312."""
    assert plural.t("few", count=2, locale="xx-YY") == "few"
    assert [plural.t("link", count=count, locale="xx-YY") for count in (1, 2)] == ["one", "few"]


@pytest.mark.parametrize(("count", "text"), [(2, "2 others"), (1, "1 one")])
def test_forms_in_a_scope_with_defaults_and_other_keys(count: int, text: str) -> None:
    """I18N-298, I18N-299."""
    i18n = I18n(Pluralization(Fallbacks(Simple())))
    forms = {"one": "%{count} one", "other": "%{count} others", "more": {"a": "b"}}
    i18n.store("en", {"models": {"gender": {"attributes": {"a": "b"}}, "default": forms}})
    found = i18n.t("gender.no", scope="models", default=[Key("default"), "D"], count=count)
    assert found == text


def test_the_rule_of_transliteration_may_be_a_dict_or_a_callable() -> None:
    """I18N-344..346, I18N-354, I18N-355."""
    i18n = I18n(Transliterator(Simple(), {"fr": {"ü": "u!"}}))
    i18n.store("de", {"i18n": {"transliterate": {"rule": {"ü": "ue", "ö": "oe"}}}, "a": "b"})
    i18n.store("es", {"i18n": {"transliterate": {"rule": str.upper}}, "a": "b"})
    i18n.store("pt", {"i18n": {"transliterate": {"rule": 5}}, "a": "b"})
    i18n.store("fr", {"a": "b"})
    assert i18n.transliterate("ü") == "u"
    assert i18n.transliterate("ü", locale="de") == "ue"
    assert i18n.transliterate("über", locale="es") == "ÜBER"
    assert i18n.transliterate("ü", locale="fr") == "u!"
    with pytest.raises(InvalidTextArgument, match="rule"):
        i18n.transliterate("ü", locale="pt", raise_=True)


def test_latin_letters_become_ascii() -> None:
    """I18N-347..353, I18N-356, I18N-357."""
    ascii_only = transliterator()
    assert ascii_only("".join(map(chr, range(128))), None) == "".join(map(chr, range(128)))
    letters = [chr(code) for code in range(0xC0, 0x17F) if chr(code) not in "\xd7\xf7"] + ["\u1e9e"]
    assert all(
        set(ascii_only(letter, None))
        <= set("'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
        for letter in letters
    )
    assert ascii_only("日本", None) == "??"
    assert ascii_only("日本", "*") == "**"
    assert ascii_only("日本", Key("none")) == "日本"
    assert ascii_only("u\u0308", None) == "u?"
    with pytest.raises(InvalidTextArgument, match="surrogate"):
        ascii_only("\ud800", None)
    with pytest.raises(InvalidTextArgument, match="decode"):
        ascii_only(b"x", None)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        TABLE["x"] = "y"  # type: ignore[index]


@pytest.fixture
def compiler() -> I18n:
    return I18n(InterpolationCompiler(Simple()))


def test_only_texts_with_placeholders_are_taken_apart(compiler: I18n) -> None:
    """I18N-249, I18N-250."""
    top = compiler._view().backend
    assert isinstance(top, InterpolationCompiler)
    assert top.compiled("plain") is None
    assert top.compiled(5) is None
    assert top.compiled(Key("a")) is None
    assert top.compiled("Hi %{a}") is not None


def test_texts_are_data_and_never_code(compiler: I18n) -> None:
    """I18N-247, I18N-248, I18N-251..255."""
    for text in (
        '"#{exit}"',
        "'; import os; '",
        "{a!r}",
        "\\\\ \\n",
        "#{1}",
        "`x`",
        "%(a)s",
        "{0}",
        "__import__('os')",
    ):
        assert compiler.t(None, default=text + " %{v}", v=text) == f"{text} {text}"
    for name in ("a|b", "_", "__class__", "A1", "x|y|z"):
        assert compiler.t(None, default=f"<%{{{name}}}>", **{name: 1}) == "<1>"
    assert compiler.t(None, default="%%{foo}", x=1) == "%{foo}"
    with pytest.raises(MissingInterpolationArgument):
        compiler.t(None, default="%{a}", b=1)
    compiler.missing_interpolation_argument_handler = lambda name, _values, _text: f"<{name}>"
    assert compiler.t(None, default="%{a}", b=1) == "<a>"


def test_the_missing_object_can_be_handed_out() -> None:
    """I18N-152, I18N-197."""
    i18n = I18n(Simple())
    with pytest.raises(MissingTranslation, match=r"^Translation missing: en\.foo\.bar$") as caught:
        i18n.t("bar", scope="foo", throw=True)
    assert type(caught.value) is MissingTranslation
