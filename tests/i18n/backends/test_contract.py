"""Every backend and stacks of them do what a backend must do."""

from pathlib import Path

import pytest

from bide.i18n import (
    Backend,
    Cache,
    Cascade,
    Chain,
    Fallbacks,
    Flatten,
    Gettext,
    I18n,
    InterpolationCompiler,
    KeyValue,
    Lazy,
    Memoize,
    MemoryStore,
    Metadata,
    Missing,
    Pluralization,
    Simple,
    Transliterator,
)
from bide.testing.backend_contract import BackendContract


class TestSimple(BackendContract):
    """I18N-154."""

    def make_backend(self) -> Backend:
        return Simple()


class TestSimpleWithPluralization(BackendContract):
    """I18N-153."""

    def make_backend(self) -> Backend:
        return Pluralization(Simple())


class TestSimpleWithCascade(BackendContract):
    """I18N-144."""

    def make_backend(self) -> Backend:
        return Cascade(Simple())


class TestSimpleWithFallbacks(BackendContract):
    """I18N-146."""

    def make_backend(self) -> Backend:
        return Fallbacks(Simple())


class TestSimpleWithMemoize(BackendContract):
    """I18N-149."""

    def make_backend(self) -> Backend:
        return Memoize(Simple())


class TestSimpleWithInterpolationCompiler(BackendContract):
    def make_backend(self) -> Backend:
        return InterpolationCompiler(Simple())


class TestSimpleWithCache(BackendContract):
    def make_backend(self) -> Backend:
        return Cache(Simple(), MemoryStore())


class TestSimpleWithFlatten(BackendContract):
    def make_backend(self) -> Backend:
        return Flatten(Simple())


class TestSimpleWithMetadata(BackendContract):
    def make_backend(self) -> Backend:
        return Metadata(Simple())


class TestSimpleWithMissing(BackendContract):
    def make_backend(self) -> Backend:
        return Missing(Simple(), lambda _missing: None)


class TestSimpleWithGettextAndTransliterator(BackendContract):
    def make_backend(self) -> Backend:
        return Gettext(Transliterator(Simple()))


class TestChain(BackendContract):
    """I18N-145."""

    def make_backend(self) -> Backend:
        return Chain(Simple(), Simple())


class TestLazyInEagerMode(BackendContract):
    """I18N-148."""

    def make_backend(self) -> Backend:
        return Lazy(lazy=False)


class TestLazy(BackendContract):
    def make_backend(self) -> Backend:
        return Lazy()


class TestEverythingInAChain(BackendContract):
    """I18N-143."""

    def make_backend(self) -> Backend:
        inside = Cascade(Fallbacks(Pluralization(Memoize(Simple()))))
        return Chain(Metadata(Cache(inside, MemoryStore())), Simple())


class TestEverythingAroundAChain(BackendContract):
    def make_backend(self) -> Backend:
        chain = Chain(Memoize(Simple()), Flatten(Simple()))
        around = Pluralization(Cascade(Memoize(InterpolationCompiler(chain))))
        return Missing(Cache(Metadata(Fallbacks(around)), MemoryStore()), lambda _missing: None)


class TestEverythingInAnotherOrder(BackendContract):
    def make_backend(self) -> Backend:
        return Flatten(Cascade(Fallbacks(Chain(Chain(Simple()), Fallbacks(Simple())))))


class TestKeyValue(BackendContract):
    """I18N-147."""

    holds_callables = False

    def make_backend(self) -> Backend:
        return KeyValue({})


class TestKeyValueWithMemoize(BackendContract):
    """I18N-150."""

    holds_callables = False

    def make_backend(self) -> Backend:
        return Memoize(KeyValue({}))


class TestKeyValueWithEverything(BackendContract):
    holds_callables = False

    def make_backend(self) -> Backend:
        return Fallbacks(Pluralization(Memoize(Cascade(Chain(KeyValue({}), Simple())))))


class TestASubclassThatSeesEveryCall(BackendContract):
    """I18N-151."""

    @pytest.fixture
    def i18n(self) -> I18n:
        class Shouting(I18n):
            def translate(self, key: object = None, /, **options: object) -> object:
                return super().translate(key, **options)

        return Shouting(Simple())


def test_files_may_be_read_by_any_stack(tmp_path: Path) -> None:
    (tmp_path / "en.yml").write_text("en:\n  a: A\n")
    i18n = I18n(Memoize(Fallbacks(Chain(Simple(), Simple(tmp_path / "en.yml")))))
    assert i18n.t("a") == "A"
