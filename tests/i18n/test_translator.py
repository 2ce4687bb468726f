"""I18n: locales, enforcement, handlers, settings, threads and tasks."""

import asyncio
import contextvars
import os
import threading
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import bide
from bide import i18n as face
from bide.errors import (
    Disabled,
    InvalidLocale,
    InvalidPluralizationData,
    InvalidTextArgument,
    MissingInterpolationArgument,
    MissingTranslation,
    MissingTranslationData,
    ReservedInterpolationKey,
    TextError,
)
from bide.i18n import Config, I18n, Key, Simple, default, interpolate, set_default


@pytest.fixture
def i18n() -> I18n:
    i18n = I18n(Simple())
    i18n.store("en", {"a": "A", "n": "Hi %{n}", "list": ["%{a}", ["%{b}"]], "ns": {"x": "X"}})
    i18n.store("de", {"a": "de A"})
    return i18n


def test_a_new_engine_speaks_english_from_memory() -> None:
    """I18N-440..443, I18N-447, I18N-457."""
    i18n = I18n()
    assert isinstance(i18n.backend, Simple)
    assert (i18n.default_locale, i18n.locale, i18n.default_separator) == ("en", "en", ".")
    assert bide.__version__
    other = Simple()
    i18n.backend = other
    assert i18n.backend is other
    with pytest.raises(InvalidTextArgument, match="no backend"):
        i18n.backend = "locales/*.yml"  # type: ignore[assignment]


def test_making_an_engine_reads_and_opens_nothing(tmp_path: Path) -> None:
    i18n = I18n(Simple(tmp_path / "nowhere.yml"), default_locale="xx")
    assert i18n.locale == "xx"


def test_locales_are_checked(i18n: I18n) -> None:
    """I18N-444..446, I18N-449, I18N-450, I18N-482, I18N-506, I18N-514."""
    i18n.default_locale = "de"
    assert (i18n.default_locale, i18n.t("a")) == ("de", "de A")
    i18n.default_locale = "en"
    for junk in (object(), 5, "", b"de", "x\0"):
        with pytest.raises(InvalidLocale):
            i18n.default_locale = junk  # type: ignore[assignment]
        with pytest.raises(InvalidLocale):
            i18n.locale = junk
    with pytest.raises(InvalidLocale, match="'klingon'"):
        i18n.default_locale = "klingon"
    with pytest.raises(InvalidLocale, match="'klingon'"):
        i18n.locale = "klingon"
    for ask in (i18n.t, i18n.exists, i18n.transliterate):
        with pytest.raises(InvalidLocale):
            ask("a", locale="klingon")
    with pytest.raises(InvalidLocale):
        i18n.l(date(2020, 1, 1), locale="klingon")


def test_the_list_of_locales_can_be_set(i18n: I18n) -> None:
    """I18N-002, I18N-003, I18N-486, I18N-487, I18N-516..518."""
    assert i18n.available_locales == ["en", "de"]
    i18n.available_locales = ["en", "pt-BR"]
    i18n.store("fr", {"a": "b"})
    i18n.reload()
    assert i18n.available_locales == ["en", "pt-BR"]
    assert i18n.locale_available("pt-BR")
    assert not i18n.locale_available("de")
    assert i18n._view().available() == frozenset({"en", "pt-BR"})
    i18n.available_locales = "xx"
    assert i18n.available_locales == ["xx"]
    i18n.available_locales = None
    i18n.store("en", {"a": "A"})
    assert i18n.available_locales == ["en"]


def test_enforcement_can_be_switched_off_and_follows_the_texts(i18n: I18n) -> None:
    """I18N-519..522."""
    with pytest.raises(InvalidLocale):
        i18n.enforce_locale("fr")
    i18n.enforce_locale("de")
    i18n.enforce_available_locales = False
    i18n.enforce_locale("fr")
    assert i18n.t("a", locale="fr") == "Translation missing: fr.a"
    i18n.enforce_available_locales = True
    i18n.store("fr", {"a": "fr A"})
    assert i18n.t("a", locale="fr") == "fr A"
    i18n.reload()
    i18n.store("en", {"a": "A"})
    with pytest.raises(InvalidLocale):
        i18n.t("a", locale="fr")


def test_a_locale_is_set_for_a_while(i18n: I18n) -> None:
    """I18N-510, I18N-511."""
    with i18n.with_locale("de"):
        assert (i18n.locale, i18n.t("a")) == ("de", "de A")
        with i18n.with_locale(None):
            assert i18n.locale == "de"
    with pytest.raises(RuntimeError), i18n.with_locale("de"):
        raise RuntimeError
    assert (i18n.locale, i18n.t("a")) == ("en", "A")


def test_false_disables_texts(i18n: I18n) -> None:
    """I18N-485, I18N-502, I18N-507."""
    i18n.t("a")
    with i18n.with_locale(False):
        for ask in (i18n.t, i18n.exists, i18n.transliterate):
            with pytest.raises(Disabled, match="disabled"):
                ask("a")
        with pytest.raises(Disabled):
            i18n.l(date(2020, 1, 1))
        assert i18n.t("a", locale="de") == "de A"
        assert i18n.exists("a", "de")
    with pytest.raises(Disabled):
        i18n.t("a", locale=False)


def test_keys_that_are_no_keys_are_refused(i18n: I18n) -> None:
    """I18N-477, I18N-478, I18N-493, I18N-494."""
    for wrong in ("", Key("")):
        with pytest.raises(InvalidTextArgument, match="must not be empty"):
            i18n.t(wrong)
    for wrong in (None, "", []):
        with pytest.raises(InvalidTextArgument, match="needs a key"):
            i18n.exists(wrong)
    with pytest.raises(InvalidTextArgument):
        i18n.interpolation_keys(5)


@pytest.mark.parametrize(
    "key", [object(), b"a", {"a": 1}, "x" * 20_000, ["a", object()]]
)  # fmt: skip
def test_hostile_keys_get_a_clear_error(i18n: I18n, key: Any) -> None:
    with pytest.raises(InvalidTextArgument, match="key"):
        i18n.t(key)


@pytest.mark.parametrize(
    "key", ["a\0b", "é.ü", "\u202e", "a" * 9000, "9" * 5000, "a..b..", "🙂", "%{n}", "\x01"]
)
def test_strange_keys_are_merely_missing(i18n: I18n, key: str) -> None:
    assert i18n.t(key).startswith("Translation missing: en.")
    i18n.store("en", {key: "found"})
    assert i18n.t(key, separator="~") == "found"


def test_separators_can_be_changed(i18n: I18n) -> None:
    """I18N-458..462."""
    i18n.default_separator = "|"
    assert i18n.t("ns|x") == i18n.t("ns|x") == "X"
    assert i18n.t("ns.x") == "Translation missing: en.ns.x"
    i18n.default_separator = "."
    assert i18n.normalize_keys("en", "a.b", None) == ["en", "a", "b"]
    assert i18n.normalize_keys("en", ["a", "b.c"], ["s", None]) == ["en", "s", "a", "b", "c"]
    assert i18n.normalize_keys("en", "a..b.", "..s") == ["en", "s", "a", "b"]
    assert i18n.normalize_keys("en", "a|b.c", None, "|") == ["en", "a", "b.c"]
    assert i18n.normalize_keys("en.foo", "a", None) == ["en", "foo", "a"]
    with pytest.raises(InvalidTextArgument, match="separator"):
        i18n.default_separator = ""


def test_a_handler_decides_about_missing_texts(i18n: I18n) -> None:
    """I18N-463..465, I18N-508, I18N-509."""

    def handler(error: Exception, locale: str, key: Any, options: dict[str, Any]) -> str:
        return f"{type(error).__name__} {locale} {key} {options}"

    class Caller:
        def call(self, *args: Any) -> str:
            return f"called {args[2]}"

    assert i18n.t("no", x=1, exception_handler=handler) == "MissingTranslation en no {'x': 1}"
    i18n.exception_handler = Caller()
    assert i18n.t("no") == "called no"

    class Named(I18n):
        def shout(self, *args: Any) -> str:
            return "SHOUT"

    assert Named(exception_handler="shout").t("no") == "SHOUT"


def test_transliteration_has_a_handler_too(i18n: I18n) -> None:
    """I18N-512, I18N-513, I18N-515."""
    assert i18n.transliterate("日") == "?"
    wrong: Any = b"x"
    with pytest.raises(InvalidTextArgument):
        i18n.transliterate(wrong)
    assert i18n.transliterate(wrong, exception_handler=lambda *_: "handled") == "handled"
    with pytest.raises(InvalidTextArgument):
        i18n.transliterate(wrong, raise_=True, exception_handler=lambda *_: "handled")


def test_the_front_hands_everything_to_the_backend() -> None:
    """I18N-466, I18N-467."""
    seen: list[Any] = []

    class Noting(Simple):
        def translate(self, locale: str, key: Any, options: Any) -> Any:
            seen.append((locale, key, dict(options)))
            return "x"

        def localize(self, locale: str, moment: Any, format_: Any, options: Any) -> str:
            seen.append((locale, moment, format_, dict(options)))
            return "y"

    i18n = I18n(Noting(), enforce_available_locales=False)
    for _ in range(2):
        assert i18n.t("foo", locale="de", a=1) == "x"
    assert i18n.l(date(2020, 1, 1), format="%d", locale="de", b=2) == "y"
    assert seen == [("de", "foo", {"a": 1})] * 2 + [("de", date(2020, 1, 1), "%d", {"b": 2})]


def test_the_names_in_a_text_can_be_listed(i18n: I18n) -> None:
    """I18N-488..492."""
    assert i18n.interpolation_keys("n") == ["n"]
    assert i18n.interpolation_keys("a") == i18n.interpolation_keys("no") == []
    assert i18n.interpolation_keys("ns") == []
    assert i18n.interpolation_keys("list") == ["a", "b"]


def test_settings_are_one_frozen_object(i18n: I18n) -> None:
    """I18N-451..454, I18N-456."""
    changed = i18n.config.with_(default_locale="de")
    assert (changed.default_locale, i18n.default_locale) == ("de", "en")
    i18n.config = changed
    assert i18n.t("a") == "de A"
    with pytest.raises(InvalidTextArgument, match="no such setting: foo"):
        Config().with_(foo=1)
    with pytest.raises(InvalidTextArgument, match="no such setting"):
        I18n(defaultlocale="de")
    with pytest.raises(AttributeError):
        i18n.config.default_locale = "fr"  # type: ignore[misc]
    with pytest.raises(InvalidTextArgument, match="no Config"):
        i18n.config = {}  # type: ignore[assignment]


def test_names_can_be_reserved(i18n: I18n) -> None:
    """I18N-523."""
    assert i18n.t(None, default="%{mine}", mine=1) == "1"
    i18n.reserve_key("mine")
    i18n.reserve_key(Key("yours"))
    for name in ("mine", "yours"):
        with pytest.raises(ReservedInterpolationKey):
            i18n.t(None, default=f"%{{{name}}}", x=1)
    assert i18n.t("a", mine=1) == "A"


def test_two_engines_have_two_locales(i18n: I18n) -> None:
    """I18N-455."""
    other = I18n(Simple())
    i18n.locale = "de"
    assert other.locale == "en"


def test_a_thread_has_its_own_locale(i18n: I18n) -> None:
    """I18N-448, I18N-525; with the context copied it inherits the caller's."""
    i18n.locale = "de"
    seen: list[str] = []
    inherited = contextvars.copy_context()
    for run in (
        lambda: seen.append(i18n.locale),
        lambda: inherited.run(lambda: seen.append(i18n.locale)),
    ):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert seen == ["en", "de"]


async def test_tasks_inherit_and_are_isolated(i18n: I18n) -> None:
    """I18N-524..526."""
    i18n.locale = "de"
    assert i18n.t("a") == "de A"

    async def speak(locale: str | None) -> str:
        with i18n.with_locale(locale):
            await asyncio.sleep(0)
            found: str = i18n.t("a")
            return found

    async def change() -> None:
        i18n.locale = "en"

    assert await asyncio.gather(speak("en"), speak(None), speak("en")) == ["A", "de A", "A"]
    await asyncio.create_task(change())
    assert i18n.locale == "de"


def test_a_locale_is_what_it_was_after_the_context_ends(i18n: I18n) -> None:
    """I18N-438, I18N-439: what a middleware needs."""

    def request() -> str:
        i18n.locale = "de"
        found: str = i18n.t("a")
        return found

    assert contextvars.copy_context().run(request) == "de A"
    assert i18n.locale == "en"


def test_errors_keep_what_they_are_about(i18n: I18n) -> None:
    """I18N-403..414."""
    assert InvalidLocale("xx").locale == "xx"
    assert "'xx' is not a valid locale" in str(InvalidLocale("xx"))
    assert MissingTranslation("en", "a").options == {}
    data = MissingTranslationData("de", "a", {"scope": "s", "x": 1}, ("de.s.a",))
    assert (data.locale, data.key, data.options) == ("de", "a", {"scope": "s"})
    assert str(data) == "Translation missing: de.s.a"
    assert str(MissingTranslationData("de", "a")) == "Translation missing: de.a"
    plural = InvalidPluralizationData({"one": "1"}, 2, "other")
    assert (plural.entry, plural.count, plural.key) == ({"one": "1"}, 2, "other")
    assert "{'one': '1'} can not be used with count=2: key 'other' is missing" in str(plural)
    missing = MissingInterpolationArgument("n", {"m": 1}, "%{n}")
    assert (missing.key, missing.string) == ("n", "%{n}")
    assert str(missing) == "missing interpolation argument 'n' in '%{n}' ({'m': 1} given)"
    reserved = ReservedInterpolationKey("scope", "%{scope}")
    assert (reserved.key, reserved.string) == ("scope", "%{scope}")
    assert "reserved key 'scope'" in str(reserved)
    assert all(isinstance(error, TextError) for error in (data, plural, missing, reserved))


def test_text_is_filled_without_an_engine() -> None:
    """I18N-418..427, I18N-429."""
    assert interpolate("%{a} %{b}", {"a": "1", "b": 2}) == "1 2"
    assert interpolate("%{b} %{a}", {"a": "1", "b": 2}) == "2 1"
    assert interpolate("%<a>d, %<b>.1f", {"a": 10, "b": 43.4}) == "10, 43.4"
    assert interpolate("%{a}", {"a": "%{b}", "b": "x"}) == "%{b}"
    text = "plain"
    assert interpolate(text, {"a": 1}) is text
    assert interpolate("%<n>d %<n>#b %<n>+.2f %<n>#x", {"n": 10}) == "10 0b1010 +10.00 0xa"
    for bad in ("%<n>,d", "%<n>/d"):
        with pytest.raises(InvalidTextArgument, match="malformed"):
            interpolate(bad, {"n": 10})
    with pytest.raises(MissingInterpolationArgument):
        interpolate("%{a} %{b}", {"a": 1})
    assert interpolate("%{a}", {"a": 1, "b": 2}) == "1"
    assert interpolate("%%{a} %%<a>d %{a}", {"a": 1}) == "%{a} %<a>d 1"
    assert interpolate("%{a} %<b>d", {"a": 1, "b": 2}) == "1 2"


def test_wide_formats_do_not_eat_the_memory() -> None:
    with pytest.raises(InvalidTextArgument, match="wider"):
        interpolate("%<n>999999999d", {"n": 1})


def test_markup_stays_markup_and_escapes_its_values() -> None:
    """I18N-428."""
    markupsafe = pytest.importorskip("markupsafe")
    found = interpolate(markupsafe.Markup("<b>%{n}</b>"), {"n": "<i>"})
    assert found == "<b>&lt;i&gt;</b>"
    assert isinstance(found, markupsafe.Markup)


def test_missing_values_and_other_placeholders_can_be_handled(i18n: I18n) -> None:
    """I18N-430, I18N-431."""
    i18n.missing_interpolation_argument_handler = lambda name, values, text: (
        f"{name}/{len(values)}/{text}"
    )
    assert i18n.t("n", m=1) == "Hi n/1/Hi %{n}"
    i18n.interpolation_patterns = [r"\{\{(\w+)\}\}"]
    for _ in range(2):
        assert i18n.t(None, default="{{a}} %{a}", a=1) == "1 1"


def test_numbers_money_lists_and_spans_are_written_as_usual(i18n: I18n) -> None:
    assert i18n.l(1234.5, locale="de") == "1.234,5"
    assert i18n.l(Decimal("9.9"), currency="EUR", locale="de") == "9,90\xa0€"
    assert i18n.l(["a", "b", "c"]) == "a, b, and c"
    assert i18n.l(timedelta(hours=3)) == "in 3 hours"
    assert i18n.number(1000) == "1,000"
    assert i18n.percent(0.25) == "25%"
    assert i18n.money(5, "usd") == "$5.00"
    assert i18n.list(["a", "b"], style="or") == "a or b"
    assert i18n.relative_time(timedelta(days=-2)) == "2 days ago"
    with pytest.raises(InvalidTextArgument, match="ISO code"):
        i18n.money(5, "dollars")
    with pytest.raises(InvalidTextArgument, match="no number"):
        i18n.number("5")  # type: ignore[arg-type]


def test_a_pinned_request_sees_one_state(i18n: I18n) -> None:
    with i18n.pinned():
        assert i18n.t("a") == "A"
        i18n.store("en", {"a": "edited", "new": "N"})
        assert i18n.t("a") == i18n.t("a") == "A"
        assert not i18n.exists("new")
        with i18n.pinned():
            assert i18n.t("a") == "A"
    assert i18n.t("a") == "edited"


def test_an_edit_is_seen_at_once_by_every_thread(i18n: I18n) -> None:
    stop = threading.Event()
    wrong: list[str] = []

    def read() -> None:
        last = -1
        while not stop.is_set():
            now = int(i18n.t("v", default="0"))
            if now < last:
                wrong.append(f"{now} after {last}")
            last = now

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(300):
        i18n.store("en", {"v": str(number)})
        assert i18n.t("v") == str(number)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_child_serves_and_stores_though_a_lock_was_held(i18n: I18n) -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        backend: Any = i18n.backend
        with backend._guard:
            held.set()
            done.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait(10)
    child = os.fork()
    if child == 0:
        i18n.store("en", {"a": "child"})
        os._exit(0 if i18n.t("a") == "child" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    done.set()
    thread.join()
    assert i18n.t("a") == "A"


def test_changed_files_are_read_again_in_development(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bide.i18n.translator.LOOK_AT_FILES_EVERY", 0)
    file = tmp_path / "en.yml"
    file.write_text("en:\n  a: A\n")
    live = I18n(Simple(str(tmp_path / "*.yml")), reload_on_change=True)
    still = I18n(Simple(file))
    assert (live.t("a"), still.t("a")) == ("A", "A")
    file.write_text("en:\n  a: B\n")
    os.utime(file, (1, 1))
    assert (live.t("a"), still.t("a")) == ("B", "A")
    (tmp_path / "de.yml").write_text("de:\n  a: de\n")
    assert live.t("a", locale="de") == "de"


def test_the_functions_speak_to_the_engine_in_use(i18n: I18n) -> None:
    set_default(None)
    with pytest.raises(TextError, match="set_default"):
        face.t("a")
    set_default(i18n)
    try:
        assert default() is i18n
        assert face.t("a") == face.t_strict("a") == "A"
        assert face.exists("a")
        assert face.l(5) == "5"
        assert face.transliterate("ü") == "u"
        with face.with_locale("de"):
            assert face.t("a") == "de A"
    finally:
        set_default(None)


def test_yaml_and_python_files_are_no_programs(tmp_path: Path) -> None:
    """D18."""
    (tmp_path / "en.yml").write_text("en:\n  a: !!python/object/apply:os.system ['true']\n")
    with pytest.raises(TextError, match="object"):
        I18n(Simple(tmp_path / "en.yml")).t("a")


def test_the_face_is_sorted_and_whole() -> None:
    assert face.__all__ == sorted(face.__all__, key=lambda name: (name[0].islower(), name))
    assert all(hasattr(face, name) for name in face.__all__)
