"""Three hundred calls over every arrangement of backends, answered as the gems answer them."""

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from bide import errors
from bide.i18n import (
    Cascade,
    Chain,
    Fallbacks,
    I18n,
    InterpolationCompiler,
    Key,
    KeyValue,
    Memoize,
    Pluralization,
    Simple,
)

ORACLE = json.loads((Path(__file__).parent / "data" / "i18n_calls.json").read_text())
CALLS = ORACLE["calls"]

# Answers that differ from the gem's, each with its reason, by place in the file.
NEWER = "i18n 1.10 printed this; 1.15 and the table of 1.15's answers say otherwise"
NUMBERS = "numbers are written as the locale writes them"
DEVIATIONS: dict[int, tuple[Any, str]] = {}


def deviation(reason: str, answer: Any, call: dict[str, Any]) -> None:
    DEVIATIONS[CALLS.index(call)] = (answer, reason)


def find(**wanted: Any) -> list[dict[str, Any]]:
    return [
        each for each in CALLS if all(each.get(name) == value for name, value in wanted.items())
    ]


KEYS = {"default": [{"$sym": "x1"}, {"$sym": "x2"}]}
for each in find(fn="t", options=KEYS):
    text = "Translation missing. Options considered were:\n- en.nope\n- en.x1\n- en.x2"
    deviation(NEWER, text, each)
for each in find(args=[["hello", "nope"]]):
    deviation(NEWER, ["Hello", "Translation missing: en.nope"], each)
for each in find(args=["thing"]):
    deviation(NEWER, "rzeczy", each)
for each in find(fn="l", args=[{"$date": "2008-03-01"}], options={"format": "%p"}):
    deviation(NEWER, "AM", each)
for each in find(fn="l", args=[5]):
    deviation(NUMBERS, "5", each)
for each in find(fn="l", options={"format": "%%A %A", "locale": {"$sym": "en"}}):
    deviation("an escaped percent sign is no directive (6.3)", "%A Saturday", each)
for each in find(backend="chain(ar,simple)", args=["simple_string_db_hash"]):
    deviation("D15: a later text does not erase a namespace found before", {"a": "in db"}, each)
for each in find(backend="ar", args=["db_nest_d"]):
    deviation("D1: an underscore is no wildcard", "Translation missing: en.db_nest_d", each)
for each in find(fn="available_locales"):
    # The order of SELECT DISTINCT; here the members' own.
    deviation("the order of the locales means nothing", None, each)

ERRORS = {
    "I18n::ArgumentError": errors.InvalidTextArgument,
    "ArgumentError": errors.InvalidTextArgument,
    "TypeError": errors.InvalidTextArgument,
    "I18n::MissingInterpolationArgument": errors.MissingInterpolationArgument,
    "I18n::InvalidPluralizationData": errors.InvalidPluralizationData,
    "I18n::ReservedInterpolationKey": errors.ReservedInterpolationKey,
    "I18n::MissingTranslationData": errors.MissingTranslationData,
}


def plain(value: Any) -> Any:
    """The value in Python: symbols are Keys, moments are dates and times."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$sym" in value:
        return Key(value["$sym"])
    if "$date" in value:
        return date.fromisoformat(value["$date"])
    if "$time" in value:
        return datetime.fromisoformat(value["$time"])
    return {name: plain(each) for name, each in value.items()}


def source(which: str) -> Simple:
    backend = Simple()
    for locale, data in ORACLE[f"fixtures_{which}"].items():
        backend.store(locale, plain(data))
    return backend


def key_value() -> KeyValue:
    backend = KeyValue({})
    for locale, data in ORACLE["fixtures_simple"].items():
        backend.store(locale, plain(data))
    return backend


ARRANGED: dict[str, Callable[[], Any]] = {
    "simple": lambda: source("simple"),
    "ar": lambda: source("active_record"),
    "chain(simple,ar)": lambda: Chain(source("simple"), source("active_record")),
    "chain(ar,simple)": lambda: Chain(source("active_record"), source("simple")),
    "chain+fallbacks(simple,ar)": lambda: Fallbacks(
        Chain(source("simple"), source("active_record"))
    ),
    "simple+fallbacks": lambda: Fallbacks(source("simple")),
    "simple+cascade": lambda: Cascade(source("simple")),
    "simple+pluralization": lambda: Pluralization(source("simple")),
    "simple+memoize": lambda: Memoize(source("simple")),
    "simple+interpolation_compiler": lambda: InterpolationCompiler(source("simple")),
    "key_value": key_value,
}
ENGINES: dict[str, I18n] = {}


def engine(arrangement: str) -> I18n:
    if arrangement not in ENGINES:
        ENGINES[arrangement] = I18n(
            ARRANGED[arrangement](), enforce_available_locales=False, fallbacks=["en"]
        )
    return ENGINES[arrangement]


def answer(call: dict[str, Any]) -> Any:
    i18n, args, options = (
        engine(call["backend"]),
        plain(call["args"]),
        plain(call.get("options", {})),
    )
    functions: dict[str, Callable[..., Any]] = {
        "t": i18n.t, "t!": i18n.t_strict, "l": i18n.l, "exists?": i18n.exists,
        "transliterate": i18n.transliterate, "normalize_keys": i18n.normalize_keys,
        "locale_available?": i18n.locale_available,
        "available_locales": lambda: sorted(i18n.available_locales),
    }  # fmt: skip
    if call["fn"] == "interpolate":
        return i18n.interpolate(args[0], **args[1])
    return functions[call["fn"]](*args, **options)


def same_words(text: Any) -> Any:
    # 1.15 writes "Translation missing" with a capital, 1.10 did not.
    return (
        text.replace("translation missing", "Translation missing")
        if isinstance(text, str)
        else text
    )


@pytest.mark.parametrize("place", range(len(CALLS)))
def test_the_call_gives_what_the_gems_give(place: int) -> None:
    """I18N-144..149, I18N-153, I18N-154: every arrangement answers the same calls."""
    call = CALLS[place]
    expected, _ = DEVIATIONS.get(place, (plain(call.get("result")), ""))
    if call["fn"] == "available_locales":
        expected = sorted({*ORACLE["fixtures_simple"], "de"} - {"ru"})
    if call.get("result") == {"$thrown": "I18n::MissingTranslation"}:
        with pytest.raises(errors.MissingTranslation, match=r"en\.nope"):
            answer(call)
    elif "error" in call and place not in DEVIATIONS:
        with pytest.raises(ERRORS[call["error"]]) as raised:
            answer(call)
        if call["error"] == "I18n::MissingTranslationData":
            assert str(raised.value) == same_words(call["message"])
    else:
        result = answer(call)
        assert same_words(result) == same_words(expected)
        assert isinstance(result, bool) == isinstance(expected, bool)


def test_every_deviation_has_a_reason() -> None:
    assert len(DEVIATIONS) >= 8
    assert all(reason for _, reason in DEVIATIONS.values())
