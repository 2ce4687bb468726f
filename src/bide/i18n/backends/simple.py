"""Texts in memory: from files, and from the program."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from bide.i18n.backends.base import Backend, Engine
from bide.i18n.backends.tree import TreeBackend
from bide.i18n.guarded import Guard
from bide.i18n.loaders import filenames, load_file
from bide.i18n.locales import locale_name
from bide.i18n.trees import Tree, freeze, handed_out, merged


class Simple(TreeBackend):
    """`Simple("locales/*.yml")`: the texts of files, read at the first lookup, later files over
    earlier ones.

    Takes names, Path objects, patterns, folders and nested lists of them.
    """

    def __init__(self, *load_path: Any) -> None:
        self._load_path: tuple[Any, ...] = load_path
        self._trees: dict[str, Tree] = {}
        self._loaded = False
        self._eager = False
        self._seen: dict[Path, float] = {}
        self._guard = Guard()

    @property
    def load_path(self) -> tuple[Any, ...]:
        """Where the files are; setting it forgets all texts."""
        return self._load_path

    @load_path.setter
    def load_path(self, load_path: Iterable[Any]) -> None:
        self._load_path = tuple(load_path)
        self.reload()

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy over the texts of now."""
        self._ensure_loaded()
        return super().view(engine, top, spread)

    def _ensure_loaded(self) -> None:
        if self._loaded:
            return
        with self._guard:
            if not self._loaded:
                self._merge_files(self._load_path)
                self._loaded = True

    def _merge_files(self, files: Iterable[Any]) -> None:
        for name in filenames(*files):
            for locale, data in load_file(name).items():
                self._merge(locale, freeze(data))
            self._seen[name] = name.stat().st_mtime_ns

    def _merge(self, locale: str, tree: Tree) -> None:
        trees = dict(self._trees)
        trees[locale] = merged(trees.get(locale, {}), tree)
        self._trees = trees

    def tree(self, locale: str) -> Tree | None:
        """The texts of a locale."""
        return self._trees.get(locale)

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """Merge texts over those that are there; None hides a key.

        `trusted=True` skips the copy and the checks: keys are text already, and the caller never
        changes `data` again.
        """
        name = locale_name(locale)
        tree = dict(data) if options.get("trusted") else freeze(data)
        with self._guard:
            self._ensure_loaded()
            self._merge(name, tree)
        self.changed()

    def load(self, *files: Any) -> None:
        """Merge the texts of files (without arguments: of the load path)."""
        with self._guard:
            self._merge_files(files or self._load_path)
            self._loaded = True
        self.changed()

    def available_locales(self) -> tuple[str, ...]:
        """The locales that have more than settings under `i18n`."""
        self._ensure_loaded()
        return tuple(name for name, tree in self._trees.items() if set(tree) - {"i18n"})

    def translations(self) -> dict[str, Any]:
        """All texts, nested by locale."""
        self._ensure_loaded()
        texts: dict[str, Any] = handed_out(self._trees)
        return texts

    def initialized(self, locale: str | None = None) -> bool:
        """Whether the files were read."""
        return self._loaded

    def reload(self) -> None:
        """Forget all texts; after eager_load() the files are read again at once."""
        with self._guard:
            self._trees, self._loaded, self._seen = {}, False, {}
            if self._eager:
                self._ensure_loaded()
        self.changed()

    def eager_load(self) -> None:
        """Read the files now, and at every reload."""
        self._eager = True
        self._ensure_loaded()

    def files_changed(self) -> bool:
        """Whether a file of the load path is new, gone or different."""
        if not self._loaded:
            return False
        now = {name: _modified(name) for name in filenames(*self._load_path)}
        return any(self._seen.get(name) != moment for name, moment in now.items()) or any(
            not name.exists() for name in self._seen
        )


def _modified(name: Path) -> float | None:
    try:
        return name.stat().st_mtime_ns
    except OSError:
        return None
