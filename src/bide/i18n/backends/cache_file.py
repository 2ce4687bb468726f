"""Files are read into a lasting store only when they changed since they were read last."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from bide.i18n.backends.base import Backend, Engine
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.loaders import filenames, load_file


class CacheFile(Wrapper):
    """`CacheFile(KeyValue(store), "locales/*.yml")`: keeps `[mtime, sha256]` of each file under the
    locale `i18n`, and skips files whose time or content is the same.

    `path_roots`: folders that are written as their number, so that the project may move.
    """

    def __init__(self, inner: Backend, *load_path: Any, path_roots: Sequence[str] = ()) -> None:
        super().__init__(inner)
        self.load_path = load_path
        self.path_roots = [str(root) for root in path_roots]
        self._read = False

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy, after the files were looked at once."""
        self.eager_load()
        return super().view(engine, top, spread)

    def eager_load(self) -> None:
        """Look at the files now."""
        if not self._read:
            self._read = True
            self.load(*self.load_path)
            super().eager_load()

    def reload(self) -> None:
        """Look at the files again at the next lookup. The store keeps its texts."""
        self._read = False
        self.changed()

    def load(self, *files: Any) -> None:
        """Store the texts of the files that changed."""
        for name in filenames(*files):
            self._load_one(name)

    def _load_one(self, name: Path) -> None:
        place = self._place(name)
        kept = self.inner.translations().get("i18n", {}).get("load_file", {}).get(place)
        modified = name.stat().st_mtime
        if kept and kept[0] == modified:
            return
        digest = hashlib.sha256(name.read_bytes()).hexdigest()
        if not kept or kept[1] != digest:
            for locale, data in load_file(name).items():
                self.inner.store(locale, data)
            self.inner.store("i18n", {"load_file": {place: [modified, digest]}})

    def _place(self, name: Path) -> str:
        text = str(name)
        for index, root in enumerate(self.path_roots):
            if text.startswith(root):
                return f"{index}{text[len(root) :]}"
        return text
