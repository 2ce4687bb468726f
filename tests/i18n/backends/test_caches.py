"""Cache, CacheFile and Memoize: what is remembered, and when it is forgotten."""

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bide.errors import MissingTranslationData
from bide.i18n import (
    Cache,
    CacheFile,
    Cascade,
    Chain,
    I18n,
    KeyValue,
    Memoize,
    MemoryStore,
    Simple,
    flatten,
)
from bide.i18n.backends import memoize
from bide.i18n.backends.base import Options


class Counting(Simple):
    """Counts lookups, stores and questions for locales."""

    def __init__(self, *load_path: Any) -> None:
        super().__init__(*load_path)
        self.asked: list[object] = []
        self.stored: list[str] = []
        self.locales_asked: list[int] = []

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        self.asked.append(key)
        return super().lookup(locale, key, scope, options)

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        self.stored.append(locale)
        super().store(locale, data, **options)

    def available_locales(self) -> tuple[str, ...]:
        self.locales_asked.append(1)
        return super().available_locales()


@pytest.fixture
def counting() -> Counting:
    backend = Counting()
    backend.store("en", {"foo": "Foo", "no": False})
    return backend


def test_results_are_kept_until_the_texts_change(counting: Counting) -> None:
    """I18N-158..160; D11."""
    store = MemoryStore()
    i18n = I18n(Cache(counting, store))
    assert [i18n.t("foo"), i18n.t("foo")] == ["Foo", "Foo"]
    assert counting.asked == ["foo"]
    assert [i18n.t("no"), i18n.t("no")] == [False, False]
    assert counting.asked == ["foo", "no"]
    assert len(store.entries) == 2
    i18n.store("en", {"foo": "New"})
    assert i18n.t("foo") == "New"


def test_missing_texts_are_kept_too(counting: Counting) -> None:
    """I18N-161, I18N-162."""
    store = MemoryStore()
    i18n = I18n(Cache(counting, store))
    for _ in range(2):
        with pytest.raises(MissingTranslationData):
            i18n.t("missing", raise_=True, scope="s", x=1)
    assert counting.asked == ["missing"]
    ((_, kept),) = store.entries.values()
    assert set(kept[2]) == {"scope"}


def test_the_name_of_a_result_says_what_was_asked(counting: Counting) -> None:
    """I18N-163..167."""
    cache = Cache(counting, MemoryStore())
    assert cache.cache_key("en", "foo", {}).startswith("i18n/en/")
    named = Cache(counting, MemoryStore(), namespace="shop", digest=lambda text: f"<{text}>")
    assert named.cache_key("en", "foo", {"a": 1}) == "i18n/shop/en/<('str', 'foo')>/<[('a', '1')]>"
    swapped = cache.cache_key("en", "foo", {"a": 1, "b": 2})
    assert swapped != cache.cache_key("en", "foo", {"a": 2, "b": 1})


def test_an_unchanged_file_is_not_stored_again(tmp_path: Path) -> None:
    """I18N-155..157."""
    file = tmp_path / "en.yml"
    file.write_text("en:\n  a: A\n")
    inner = Counting()
    backend = CacheFile(inner, path_roots=[str(tmp_path)])
    backend.load(file)
    assert inner.stored == ["en", "i18n"]
    backend.load(file)
    os.utime(file, (1, 1))
    backend.load(file)
    assert inner.stored == ["en", "i18n"]
    file.write_text("en:\n  a: B\n")
    backend.load(file)
    assert I18n(backend).t("a") == "B"
    assert list(flatten(inner.translations()["i18n"])) == ["load_file.0/en\x01yml"]


def test_a_lasting_store_is_filled_from_files_at_first_use(tmp_path: Path) -> None:
    """I18N-155 on KeyValue."""
    (tmp_path / "en.yml").write_text("en:\n  a: A\n")
    entries: dict[str, str] = {}
    assert I18n(CacheFile(KeyValue(entries), tmp_path / "en.yml")).t("a") == "A"
    writes = dict(entries)
    assert I18n(CacheFile(KeyValue(entries), tmp_path / "en.yml")).t("a") == "A"
    assert entries == writes


def test_locales_are_asked_once_per_state(counting: Counting) -> None:
    """I18N-283..286."""
    i18n = I18n(Memoize(counting))
    assert i18n.available_locales == i18n.available_locales == ["en"]
    assert len(counting.locales_asked) == 1
    i18n.store("de", {"a": "b"})
    assert i18n.available_locales == ["en", "de"]
    i18n.reload()
    assert i18n.available_locales == []
    eager = Counting()
    memo = Memoize(eager)
    memo.eager_load()
    assert len(eager.locales_asked) == 1


def test_many_threads_remember_the_same() -> None:
    """I18N-287."""
    backend = Simple()
    for locale in ("en", "de", "pl"):
        backend.store(locale, {"foo": f"{locale} foo"})
    i18n = I18n(Memoize(backend))
    seen: list[tuple[str, str]] = []

    def ask(locale: str) -> None:
        seen.extend((locale, i18n.t("foo", locale=locale, default="D", x=1)) for _ in range(50))

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("en", "de", "pl") * 10]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen) == {(name, f"{name} foo") for name in ("en", "de", "pl")}


def test_a_cascading_call_is_not_answered_from_an_earlier_plain_one() -> None:
    """D11."""
    for backend in (Memoize(Cascade(Simple())), Cascade(Memoize(Simple()))):
        backend.store("en", {"foo": "F"})
        i18n = I18n(backend)
        assert i18n.t("a.foo", default="no") == "no"
        assert i18n.t("a.foo", cascade=True) == "F"


def test_keys_made_up_by_users_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """D12."""
    monkeypatch.setattr(memoize, "MOST", 10)
    i18n = I18n(Memoize(Simple()))
    i18n.store("en", {"a": {"b": "B"}})
    for number in range(100):
        i18n.t(f"made.up.{number}")
        i18n.t("a." + "." * number + "b")
    top = i18n._view().backend
    assert isinstance(top, Memoize)
    assert len(top._misses) <= 10
    assert len(top._hits) <= 10
    assert len(i18n._live.plain["en"]) <= 101


def test_a_changed_scope_is_not_ignored() -> None:
    """D14."""
    i18n = I18n(Memoize(Simple()))
    i18n.store("en", {"a": {"x": "A"}, "b": {"x": "B"}})
    assert [i18n.t("x", scope=scope) for scope in ("a", "b", ["a"], None)] == [
        "A", "B", "A", "Translation missing: en.x",
    ]  # fmt: skip


def test_memories_die_with_the_state_they_were_made_from() -> None:
    """D13: rules of plurals and transliteration as well."""
    from bide.i18n import Pluralization, Transliterator

    i18n = I18n(Transliterator(Pluralization(Memoize(Chain(Simple())))))
    rule = {"plural": {"rule": lambda _n: "one"}, "transliterate": {"rule": {"ü": "ue"}}}
    i18n.store("en", {"n": {"one": "1", "other": "o"}, "i18n": rule})
    assert (i18n.t("n", count=5), i18n.transliterate("ü")) == ("1", "ue")
    i18n.reload()
    i18n.store("en", {"n": {"one": "1", "other": "o"}})
    assert (i18n.t("n", count=5), i18n.transliterate("ü")) == ("o", "u")
