"""Files read per locale: only those of the locales that are asked for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Self

from bide.errors import InvalidFilenames, UnsupportedMethod
from bide.i18n.backends.base import Backend, Engine
from bide.i18n.backends.simple import Simple
from bide.i18n.loaders import filenames, load_file
from bide.i18n.trees import Tree, freeze, merged


class Lazy(Simple):
    """`Lazy("locales/*.yml")`: the name of a file starts with its locale, up to `_` or its end
    (`de.yml`, `de-AT_mails.yml`), and it holds that locale alone.

    `lazy=False` reads everything at the first lookup (for tests), with the same check of names.
    """

    def __init__(self, *load_path: Any, lazy: bool = True) -> None:
        super().__init__(*load_path)
        self.lazy = lazy
        self._ready: set[str] = set()
        self._source: Lazy = self

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy that reads further locales when they are asked for."""
        seen = super().view(engine, top, spread)
        seen._source = self
        return seen

    def _ensure_loaded(self) -> None:
        if not self.lazy:
            super()._ensure_loaded()

    def _merge_files(self, files: Any) -> None:
        self._merge_checked(filenames(*files))

    def _merge_checked(self, names: list[Path]) -> None:
        loaded = [(name, load_file(name)) for name in names]
        problems = [
            f"{name} holds {', '.join(texts) or 'nothing'}, not only {file_locale(name)}"
            for name, texts in loaded
            if list(texts) != [file_locale(name)]
        ]
        if problems:
            raise InvalidFilenames(problems)
        for _, texts in loaded:
            for locale, data in texts.items():
                # What the program stored stays above what files say.
                self._merge_below(locale, freeze(data))

    def _merge_below(self, locale: str, tree: Tree) -> None:
        trees = dict(self._trees)
        trees[locale] = merged(trees.get(locale, {}), tree)
        self._trees = trees

    def tree(self, locale: str) -> Tree | None:
        """The texts of a locale, read now if they were not yet."""
        source = self._source
        if self.lazy and locale not in source._ready:
            source.read_locale(locale)
        if self.lazy and locale not in self._trees:
            return source._trees.get(locale)
        return self._trees.get(locale)

    def read_locale(self, locale: str) -> None:
        """Read the files of a locale, once."""
        with self._guard:
            if locale in self._ready:
                return
            self._merge_checked(
                [name for name in filenames(*self._load_path) if file_locale(name) == locale]
            )
            self._ready = self._ready | {locale}

    def store(self, locale: str, data: Any, **options: Any) -> None:
        """Merge texts over those of the files."""
        if self.lazy:
            self.read_locale(locale)
        super().store(locale, data, **options)

    def available_locales(self) -> tuple[str, ...]:
        """The locales that file names tell, and those that were stored."""
        if not self.lazy:
            return super().available_locales()
        named = [file_locale(name) for name in filenames(*self._load_path)]
        return tuple(dict.fromkeys([*named, *super().available_locales()]))

    def translations(self) -> dict[str, Any]:
        """What was read so far."""
        return super().translations()

    def initialized(self, locale: str | None = None) -> bool:
        """Whether the texts of a locale (or of any) were read."""
        if not self.lazy:
            return super().initialized()
        return locale in self._ready if locale else bool(self._ready)

    def reload(self) -> None:
        """Forget all texts."""
        self._ready = set()
        super().reload()

    def eager_load(self) -> None:
        """Not while lazy. Raises UnsupportedMethod."""
        if self.lazy:
            raise UnsupportedMethod(
                "eager_load", "Lazy", "use Lazy(..., lazy=False), or Simple, to read all at once"
            )
        super().eager_load()


def file_locale(name: Path) -> str:
    """The locale in a file's name: what stands before the first `_`."""
    return re.split("_", name.stem, maxsplit=1)[0]
