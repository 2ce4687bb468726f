"""Simple, KeyValue, Lazy: where texts lie."""

import json
from pathlib import Path
from typing import Any

import pytest

from bide.errors import (
    InvalidFilenames,
    InvalidLocaleData,
    InvalidPluralizationData,
    InvalidTextArgument,
    UnknownFileType,
    UnsupportedMethod,
)
from bide.i18n import Fallbacks, I18n, Key, KeyValue, Lazy, Memoize, Simple, flatten

BARS = {"bars": {"one": "%{count} bar", "other": "%{count} bars"}}


@pytest.fixture(params=[Simple, lambda *files: Memoize(Simple(*files))], ids=["plain", "memoized"])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


def files(folder: Path) -> Path:
    (folder / "en.yml").write_text("en:\n  foo:\n    bar: baz\n  yes: 1\n")
    (folder / "en.yaml").write_text("en:\n  foo:\n    yaml: y\n")
    (folder / "en.json").write_text('{"en": {"foo": {"bar": "json", "json": "j"}}}')
    (folder / "en.toml").write_text('[en.foo]\ntoml = "t"\n')
    (folder / "en.py").write_text(
        'translations = {"en": {"foo": {"py": lambda key, **_: "called"}}}'
    )
    return folder


def test_a_default_alone_is_filled(make: Any) -> None:
    """I18N-313."""
    assert I18n(make()).t(None, default="Hello %{name}", name="Bo") == "Hello Bo"


def test_numbers_and_booleans_are_keys(make: Any) -> None:
    """I18N-314..317, I18N-336, I18N-483, I18N-484."""
    i18n = I18n(make())
    i18n.store(
        "en",
        {
            "b": {True: "yes", False: "no"},
            "n": {1: "one", -1: "minus", 0: "zero", "01": "text"},
            True: "T",
        },
    )
    assert (i18n.t("b.true"), i18n.t("b.false"), i18n.t(True)) == ("yes", "no", "T")
    assert (i18n.t("n.1"), i18n.t("n.+1"), i18n.t("n.-1")) == ("one", "one", "minus")
    assert [i18n.t(f"n.{zero}") for zero in ("0", "-0", "+0")] == ["zero"] * 3
    assert i18n.t("n.01") == "text"
    assert i18n.t(1, scope="n") == i18n.t("1", scope="n") == i18n.t(Key("1"), scope="n") == "one"
    assert i18n.t("n") == {1: "one", -1: "minus", 0: "zero", "01": "text"}


def test_keys_become_text_at_every_depth(make: Any) -> None:
    """I18N-318, I18N-319, I18N-332, I18N-333, I18N-585, I18N-586."""
    i18n = I18n(make())
    i18n.store(Key("en"), {Key("a"): {Key("b"): [{Key("c"): {2: "d"}}]}})
    assert i18n.t("a") == {"b": [{"c": {2: "d"}}]}
    assert i18n.available_locales == ["en"]


def test_files_of_every_kind_are_read(make: Any, tmp_path: Path) -> None:
    """I18N-321, I18N-322, I18N-324, I18N-326..329, I18N-436, I18N-588."""
    folder = files(tmp_path)
    i18n = I18n(
        make(
            [[folder / "en.yml"], str(folder / "en.json")],
            folder / "en.toml",
            str(folder / "*.yaml"),
        )
    )
    assert i18n.t("foo") == {"bar": "json", "json": "j", "toml": "t", "yaml": "y"}
    assert i18n.t("true", scope=[]) == 1


def test_python_files_are_read_only_when_named(make: Any, tmp_path: Path) -> None:
    """I18N-323, I18N-325, I18N-437; D18."""
    folder = files(tmp_path)
    assert I18n(make(folder / "en.py")).t("foo.py") == "called"
    assert not I18n(make(str(folder / "*.py"))).exists("foo.py")
    assert not I18n(make(folder)).exists("foo.py")


def test_a_file_that_cannot_be_read_says_why(make: Any, tmp_path: Path) -> None:
    """I18N-320, I18N-433, I18N-434."""
    for name, content, problem in (
        ("a.yml", "", "hash"), ("b.yml", "en: [", "b.yml"), ("c.json", "{", "c.json"),
        ("d.yml", "en: text\n", "must hold"), ("e.yml", "en: !ruby/object:X {}\n", "object"),
        ("f.toml", "x", "f.toml"), ("g.yml", "en:\n  ? [a]\n  : b\n", "key"),
    ):  # fmt: skip
        (tmp_path / name).write_text(content)
        with pytest.raises(InvalidLocaleData, match=problem):
            I18n(make(tmp_path / name)).t("a")
    (tmp_path / "en.xml").write_text("")
    with pytest.raises(UnknownFileType, match="xml"):
        I18n(make(tmp_path / "en.xml")).t("a")
    with pytest.raises(InvalidLocaleData, match="nowhere"):
        I18n(make(tmp_path / "nowhere.yml")).t("a")


def test_an_empty_locale_in_a_file_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("en:\nno:\n  a: A\n")
    i18n = I18n(Simple(tmp_path / "a.yml"))
    assert i18n.t("a", locale="no") == "A"


def test_the_load_path_may_be_nested_and_changed(tmp_path: Path) -> None:
    """I18N-432, I18N-435."""
    folder = files(tmp_path)
    i18n = I18n(load_path=[[str(folder / "en.yml")]])
    assert i18n.t("foo.bar") == "baz"
    i18n.load_path = [*i18n.load_path, folder / "en.json"]
    assert i18n.t("foo.bar") == "json"


def test_enforcement_keeps_other_locales_out(make: Any) -> None:
    """I18N-334, I18N-335."""
    i18n = I18n(make(), available_locales=["en", "es"])
    i18n.store("fr", {"foo": "Foo"})
    assert "fr" not in i18n.backend.translations()
    i18n.enforce_available_locales = False
    i18n.store("fr", {"foo": "Foo"})
    assert i18n.t("foo", locale="fr") == "Foo"


def test_trusted_data_is_taken_as_it_is() -> None:
    """I18N-337."""
    data = {"a": {"b": "B"}}
    backend = Simple()
    backend.store("en", data, trusted=True)
    assert backend.tree("en")["a"] is data["a"]  # type: ignore[index]


def test_reload_forgets_and_reads_again(make: Any, tmp_path: Path) -> None:
    """I18N-338..341."""
    folder = files(tmp_path)
    backend = make(folder / "en.yml")
    i18n = I18n(backend)
    assert not backend.initialized()
    i18n.store("en", {"more": "more"})
    i18n.reload()
    assert not backend.initialized()
    assert not i18n.exists("more")
    i18n.eager_load()
    assert backend.initialized()
    i18n.reload()
    assert backend.initialized()


def test_forms_beside_nested_forms(make: Any) -> None:
    """I18N-310, I18N-342."""
    i18n = I18n(make())
    i18n.store(
        "en",
        {"s": {"one": "one", "other": "%{count}", "deep": {"one": "d1", "other": "d%{count}"}}},
    )
    assert [i18n.t("s", count=2), i18n.t("s.deep", count=2)] == ["2", "d2"]


def test_flattening_has_two_switches() -> None:
    """I18N-256."""
    data = {"a": {"b": {"c": "x"}}, "d.e": "y"}
    assert flatten(data) == {"a.b.c": "x", "d\x01e": "y"}
    assert flatten(data, escape=False) == {"a.b.c": "x", "d.e": "y"}
    whole = {"a": {"b": {"c": "x"}}, "a.b": {"c": "x"}, "a.b.c": "x", "d\x01e": "y"}
    assert flatten(data, subtrees=True) == whole
    assert flatten({"a": {"b": ["x"]}}, subtrees=True) == {"a": {"b": ["x"]}, "a.b": ["x"]}
    assert flatten({}) == {}


def test_a_store_of_keys_holds_namespaces() -> None:
    """I18N-257..259, I18N-261, I18N-262."""
    backend = KeyValue({})
    i18n = I18n(backend)
    i18n.store("en", {"n": {1: "foo"}, "a": {"b": "B"}})
    assert i18n.t("n.1") == i18n.t(1, scope="n") == i18n.t(Key("1"), scope="n") == "foo"
    i18n.store("en", {"a": {"c": "C"}})
    assert i18n.t("a") == {"b": "B", "c": "C"}
    assert backend.translations() == {"en": {"n": {"1": "foo"}, "a": {"b": "B", "c": "C"}}}
    assert backend.initialized()
    assert not KeyValue(None).initialized()  # type: ignore[arg-type]


def test_without_subtrees_forms_are_fetched_one_by_one() -> None:
    """I18N-260, I18N-264, I18N-265, I18N-267; D9."""
    i18n = I18n(KeyValue({}, subtrees=False))
    i18n.store("en", {**BARS, "half": {"one": "1"}, "text": "t"})
    assert i18n.t("bars") == "Translation missing: en.bars"
    assert [i18n.t("bars", count=count) for count in (1, 2)] == ["1 bar", "2 bars"]
    assert i18n.t("half", count=2) == "Translation missing: en.half"
    assert i18n.t("text", count=1) == "t"
    assert not i18n.exists("nothing")
    assert i18n.exists("text")


@pytest.mark.parametrize("subtrees", [True, False])
def test_a_default_stands_in_for_a_missing_plural(subtrees: bool) -> None:
    """I18N-268, I18N-269."""
    i18n = I18n(Fallbacks(KeyValue({}, subtrees=subtrees)))
    i18n.store("en", {"a": "b"})
    assert i18n.t("missing", default="D", count=0) == "D"


def test_links_outlive_the_process_that_stored_them() -> None:
    """D4."""
    entries: dict[str, str] = {}
    KeyValue(entries).store("en", {"a": Key("b"), "b": {"c": "C"}})
    later = I18n(KeyValue(json.loads(json.dumps(entries))))
    assert later.t("a.c") == "C"
    assert later.t("a") == {"c": "C"}


def test_callables_are_refused_by_a_store_of_keys() -> None:
    with pytest.raises(InvalidTextArgument, match="can not be kept"):
        KeyValue({}).store("en", {"a": lambda: "b"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "en.yml").write_text("en:\n  a: A\n")
    (tmp_path / "en_more.yml").write_text("en:\n  b: B\n")
    (tmp_path / "english.yml").write_text("english:\n  a: x\n")
    (tmp_path / "fr.yml").write_text("fr:\n  a: Fr\n")
    return tmp_path


def test_only_the_asked_locales_are_read(folder: Path) -> None:
    """I18N-270..273, I18N-275, I18N-277, I18N-280."""
    backend = Lazy(str(folder / "*.yml"))
    i18n = I18n(backend)
    assert i18n.available_locales == ["en", "english", "fr"]
    assert (i18n.t("a"), i18n.t("b")) == ("A", "B")
    assert set(backend.translations()) == {"en"}
    assert backend.initialized("en")
    assert not backend.initialized("fr")
    assert i18n.t("a", locale="fr") == "Fr"
    assert set(backend.translations()) == {"en", "fr"}
    i18n.reload()
    assert not backend.initialized("en")
    assert i18n.t("a") == "A"


def test_reading_everything_is_not_lazy(folder: Path) -> None:
    """I18N-274, I18N-276, I18N-281."""
    with pytest.raises(UnsupportedMethod, match="lazy=False"):
        Lazy(folder).eager_load()
    eager = Lazy(folder, lazy=False)
    I18n(eager).t("a")
    assert set(eager.translations()) == {"en", "english", "fr"}
    (folder / "de.xml").write_text("")
    with pytest.raises(UnknownFileType):
        I18n(Lazy(folder / "de.xml"), default_locale="de").t("a")


def test_a_file_holds_the_locale_of_its_name_alone(folder: Path) -> None:
    """I18N-278, I18N-279, I18N-282."""
    (folder / "de.yml").write_text("fr:\n  a: x\n")
    (folder / "es.yml").write_text("es:\n  a: x\npt:\n  a: x\n")
    for locale, problem in (("de", "de.yml holds fr"), ("es", "es, pt")):
        with pytest.raises(InvalidFilenames, match=problem):
            I18n(Lazy(str(folder / "*.yml")), default_locale=locale).t("a")
    with pytest.raises(InvalidFilenames, match="2 file"):
        I18n(Lazy(str(folder / "*.yml"), lazy=False)).t("a")


def test_a_missing_form_still_raises_with_subtrees() -> None:
    i18n = I18n(KeyValue({}))
    i18n.store("en", {"half": {"one": "1"}})
    with pytest.raises(InvalidPluralizationData):
        i18n.t("half", count=2)
