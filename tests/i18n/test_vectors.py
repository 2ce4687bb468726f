"""Two hundred calls, answered as the gem answers them."""

import ast
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bide import errors
from bide.i18n import (
    Cascade,
    Chain,
    Fallbacks,
    I18n,
    Key,
    LocaleFallbacks,
    Pluralization,
    Simple,
    flatten,
    normalize_flat_keys,
    normalize_keys,
)

VECTORS = json.loads((Path(__file__).parent / "data" / "vectors.json").read_text())
ENGLISH = {
    "date": {
        "formats": {"default": "%Y-%m-%d", "short": "%b %d"},
        "day_names": ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
        "abbr_day_names": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
        "month_names": [None, *["January", "February", "March", "April", "May", "June", "July"]],
        "abbr_month_names": [None, *["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul"]],
    },
    "time": {
        "formats": {"default": "%a, %d %b %Y %H:%M:%S %z", "short": "%d %b %H:%M"},
        "am": "am",
        "pm": "pm",
    },
}
FORMS = {"one": "one", "few": "few", "many": "many", "other": "other"}
A = {
    "s": "a", "ns": {"x": "ax", "d": {"p": "ap"}}, "f": False, "n": None, "h_vs_s": {"x": 1},
    "s_vs_h": "str", "pl": {"one": "A1", "other": "Ao"}, "pp": {"one": "A1"},
}  # fmt: skip
B = {
    "s": "b", "t": "tb", "ns": {"x": "bx", "y": "by", "d": {"p": "bp", "q": "bq"}}, "f": "bf",
    "n": "bn", "h_vs_s": "str", "s_vs_h": {"x": 1}, "pl": {"one": "B1", "other": "Bo"},
    "pp": {"one": "B1", "other": "Bo"},
}  # fmt: skip
SIMPLE = {
    "a": "A", "n": "Hi %{n}", "esc": "%%{n}", "f": False, "tr": True, "nil_": None, "num": 5,
    "arr": ["x %{n}", ["y %{n}", 1]], "h": {"x": "%{n}", "y": {"z": "%{n}"}}, "empty": "",
    "res": "%{scope}", "1": "one", "dotted.key": "D", "lnk": Key("a"), "lnk2": Key("lnk"),
    "lmiss": Key("nope"), "sym_in_arr": [Key("a")],
}  # fmt: skip
PLURAL = {
    "p": {"zero": "Z", "one": "1", "other": "%{count}"}, "q": {"one": "1", "other": "%{count}"},
    "bad": {"one": "1"}, "s": "str %{count}",
    "at": {"one": "1", "other": "o", "attributes": {"x": "y"}}, "nv": {"one": None, "other": "o"},
    "arr": ["a", "b"],
}  # fmt: skip
CLDR = {
    "p": FORMS, "e": {**FORMS, "0": "none", "1": "single"},
    "z": {"zero": "Z", "0": "none", "other": "o"}, "l": {"one": "one", "other": "other"},
    "x": {"one": "one"}, "nk": {"one": None, "other": "O"},
}  # fmt: skip


def russian(n: Any) -> str:
    if n != int(n):
        return "other"
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else "many"


def stored(backend: Any, **locales: dict[str, Any]) -> Any:
    for locale, data in locales.items():
        backend.store(locale.replace("_", "-"), data)
    return backend


def engine(group: str) -> I18n:
    if group.startswith("pluralisation, CLDR"):
        rule = {"i18n": {"plural": {"rule": russian}}}
        english = {"p": {"one": "1", "other": "o"}}
        return I18n(stored(Pluralization(Simple()), ru={**CLDR, **rule}, en=english))
    if group.startswith("pluralisation"):
        return I18n(stored(Simple(), en=PLURAL))
    if group.startswith("Chain"):
        return I18n(Chain(stored(Simple(), en=A), stored(Simple(), en=B)))
    if group.startswith("Cascade"):
        data = {"foo": "F", "bar": {"baz": "B", "q": {"z": "Z"}}}
        return I18n(stored(Cascade(Simple()), en=data))
    if group.startswith("Locale fallbacks"):
        english = {"a": "en a", "c": {"one": "1", "other": "o"}, "l": Key("a"), "only": "en only"}
        german = {"a": "de a", "d": "de d"}
        backend = Fallbacks(Simple(), "en")
        return I18n(stored(backend, en=english, de=german, de_AT={"n": None}))
    if group.startswith("localize"):
        return I18n(stored(Simple(), en=ENGLISH, fr={"a": "b"}))
    if group.startswith("locale handling"):
        return I18n(stored(Simple(), en=SIMPLE, de={"a": "A de"}))
    return I18n(stored(Simple(), en=SIMPLE))


class Asked:
    """The names that the calls are written in."""

    def __init__(self, group: str) -> None:
        self.group, self.i18n = group, engine(group)
        if group.startswith("pluralisation, CLDR"):
            self.i18n.locale = "ru"

    def names(self) -> dict[str, Any]:
        i18n = self.i18n
        return {
            "K": Key, "nk": self.normalized, "t": i18n.t, "l": i18n.l, "exists": i18n.exists,
            "nfk": lambda key, scope, separator=".": normalize_flat_keys(key, scope, separator),
            "i": self.filled, "available_locales": lambda: i18n.available_locales,
            "transliterate": i18n.transliterate, "Fallbacks": LocaleFallbacks,
            "date": date(2008, 3, 1), "dt": datetime(2008, 3, 1, 18, 5, 9, tzinfo=UTC),
            "interpolation_keys": self.placeholders, "locale_available": i18n.locale_available,
            "flat": flatten, "within": self.within, "choose": self.choose,
        }  # fmt: skip

    def normalized(self, locale: Any, key: Any, scope: Any, separator: str = ".") -> list[Any]:
        return normalize_keys(locale, key, scope, separator)

    def filled(self, text: str, values: dict[str, Any] | None = None, **more: Any) -> str:
        return self.i18n.interpolate(text, **(values or {}), **more)

    def placeholders(self, key: str) -> Any:
        if "%" in key:
            self.i18n.store("en", {"given": key})
            key = "given"
        return self.i18n.interpolation_keys(key)

    def within(self, locale: Any, *key: Any) -> Any:
        with self.i18n.with_locale(locale):
            return self.i18n.t(*key) if key else self.i18n.locale

    def choose(self, locale: Any) -> Any:
        self.i18n.locale = locale


# Calls that the table writes in shorthand.
WRITTEN_OUT = {
    "V019": 'flat({"a":{"b":"x"}})',
    "V020": 'flat({"a":{"b":"x"}}, subtrees=True)',
    "V021": 'flat({"a.b":"x"})',
    "V022": 'flat({"a.b":"x"}, escape=False)',
    "V023": 'flat({"a":{}})',
    "V024": '{**flat({1:"x"}), **flat({True:"y"})}',
    "V055": 'i("%{n}", m=1)',
    "V135": '[t("e", count=n) for n in (0, 1, 21)]',
    "V179": "l(date)",
    "V178": '[exists("only", locale="de"), exists("only", locale="de", fallback=False)]',
    "V196": 'choose("fr")',
    "V197": 'within("de")',
    "V198": "within(None)",
    "V199": 'within(False, "a")',
    "V200": '[locale_available(name) for name in ("de", "DE", "de-AT")]',
    "V109": '[interpolation_keys(key) for key in ("n", "arr", "h", "esc")]',
    "V110": 'interpolation_keys("%{a} %<b>d %{a}")',
}

# Answers that differ from the gem's, each with its reason.
DEVIATIONS = {
    "V047": ('"%<amount> dollars"', "a word that follows is no printf format (6.3)"),
    "V124": ('"Translation missing: en.nv"', "D8: a form without a text is a missing text"),
    "V146": ('{"x": 1}', "D15: a later text does not erase a namespace found before"),
    "V149": ('"Bo"', "D15: an incomplete plural does not hide the complete one behind it"),
    "V181": ('"Mar 01"', "a plain string that names a format of the locale means that format"),
    "V183": ('"SAT MARCH PM pm 1  1 061 %a"', "an escaped percent sign is no directive (6.3)"),
    "V190": ('"12.5"', "numbers are written as the locale writes them"),
}

# The gem's classes and what stands for them here. Ruby prints values in its own way.
ERRORS = {
    "ArgumentError": errors.InvalidTextArgument,
    "MissingInterpolationArgument": errors.MissingInterpolationArgument,
    "ReservedInterpolationKey": errors.ReservedInterpolationKey,
    "InvalidPluralizationData": errors.InvalidPluralizationData,
    "MissingTranslationData": errors.MissingTranslationData,
    "InvalidLocale": errors.InvalidLocale,
    "Disabled": errors.Disabled,
}


def value_of(call: str, names: dict[str, Any]) -> Any:
    result = eval(call, {**names, "len": len})
    return list(result) if isinstance(result, tuple) else result


@pytest.mark.parametrize("vector", VECTORS, ids=[each["id"] for each in VECTORS])
def test_the_call_gives_what_the_gem_gives(vector: dict[str, str]) -> None:
    """Appendix A, V001 to V200; I18N-001, I18N-016, I18N-110, I18N-122, I18N-133."""
    asked = Asked(vector["group"])
    call = WRITTEN_OUT.get(vector["id"], vector["call"].split("  #")[0])
    expected = DEVIATIONS.get(vector["id"], (vector["result"], ""))[0]
    error = re.match(r"(\w+): (.*)", expected)
    if error and error[1] in ERRORS:
        with pytest.raises(ERRORS[error[1]]) as raised:
            value_of(call, asked.names())
        if error[1] == "MissingTranslationData":
            assert str(raised.value) == error[2]
        return
    result = value_of(call, asked.names())
    wanted = eval(expected, {"K": Key})
    assert result == wanted
    assert type(result) is type(wanted) or isinstance(result, str)


def test_there_are_two_hundred_calls() -> None:
    assert [each["id"] for each in VECTORS] == [f"V{number:03d}" for number in range(1, 201)]


def test_every_deviation_is_of_a_known_call_and_parses() -> None:
    for identity, (answer, reason) in DEVIATIONS.items():
        assert identity in {each["id"] for each in VECTORS}
        assert reason
        ast.parse(answer)
