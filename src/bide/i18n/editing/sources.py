"""The texts of an application side by side: those of its files, those of the table, what readers get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bide.errors import SettingsError
from bide.i18n.backends.base import Backend
from bide.i18n.backends.database import Database, databases
from bide.i18n.backends.fallbacks import Fallbacks
from bide.i18n.backends.tree import TreeBackend
from bide.i18n.locales import parents
from bide.i18n.snapshot import RESERVED, SCREENS
from bide.i18n.translator import I18n
from bide.i18n.trees import Tree, filled, freeze, merged

EMPTY: Tree = {}


class Sources:
    """Where the texts of an I18n come from. `database` is the one that people edit: the first of
    the stack. `own`: only the words of Bide's own screens, else everything but those and the
    engine's settings. Raises SettingsError where there is no Database."""

    def __init__(self, i18n: I18n, *, own: bool = False) -> None:
        self.i18n = i18n
        self.own = own
        found = databases(i18n.backend)
        if not found:
            raise SettingsError(
                "the texts are in files only, so nobody can edit them here; put a Database into the "
                "backend: I18n(Chain(Database(app), Simple('locales/*.yml')))"
            )
        self.database = found[0]
        leaves = list(_leaves(i18n.backend))
        self.files = [leaf for leaf in leaves if not isinstance(leaf, Database)]
        #: Whether a text of the table is used where a file has one too.
        self.edits_win = leaves[0] is self.database
        self._merged: dict[str, Tree] = {}
        #: Grows whenever the texts of files change.
        self.files_version = 0
        for leaf in self.files:
            leaf.on_change(self._forget)

    def _forget(self) -> None:
        self._merged = {}
        self.files_version += 1

    @property
    def source_locale(self) -> str:
        """The language that developers write."""
        return self.i18n.config.default_locale

    def locales(self) -> list[str]:
        """Every locale that has texts or was listed: the source first, then by name."""
        every = {*(self.i18n.config.available_locales or ())}
        if not self.own:
            trees = self.database.live.current().trees
            every |= {locale for locale, tree in trees.items() if any(map(self.shows, tree))}
            every |= {locale for leaf in self.files for locale in leaf.available_locales()}
        return [self.source_locale, *sorted(every - {self.source_locale})]

    def inherited(self, locale: str) -> list[str]:
        """The locales of the same language that give readers what `locale` lacks, the nearest first:
        `de` for `de-AT` where fallbacks are on. Another language does not count: a French page with
        English words lacks them."""
        language = parents(locale)[-1]
        return [
            each
            for each in self._fallbacks(locale)
            if each != locale and parents(each)[-1] == language
        ]

    def _fallbacks(self, locale: str) -> list[str]:
        for each in _every(self.i18n.backend):
            if isinstance(each, Fallbacks):
                listed = self.i18n.config.fallbacks if each.own is None else each.own
                found = listed.get(locale, ())
                return [found] if isinstance(found, str) else list(found)
        return []

    def shows(self, head: str) -> bool:
        """Whether the keys that begin with this part are edited here."""
        return (head == SCREENS) if self.own else head not in RESERVED

    def in_files(self, locale: str) -> Tree:
        """The texts of a locale in files."""
        if locale not in self._merged:
            tree = EMPTY
            for leaf in reversed(self.files):
                above = _tree(leaf, locale)
                tree = merged(tree, above) if tree and above else above or tree
            self._merged[locale] = tree
        return self._merged[locale]

    def in_table(self, locale: str) -> Tree:
        """The texts of a locale in the table."""
        return self.database.live.current().trees.get(locale, EMPTY)

    def joined(self, in_table: Any, in_files: Any) -> Any:
        """What readers get of two values, or trees, of one name."""
        first, second = (in_table, in_files) if self.edits_win else (in_files, in_table)
        if isinstance(first, dict) and isinstance(second, dict):
            return filled(first, second)
        return second if first is None else first


def _every(backend: Backend) -> Iterator[Backend]:
    yield backend
    for member in _members(backend):
        yield from _every(member)


def _leaves(backend: Backend) -> Iterator[Backend]:
    return (each for each in _every(backend) if not _members(each))


def _members(backend: Backend) -> Sequence[Backend]:
    inner = getattr(backend, "inner", None)
    return getattr(backend, "members", None) or ([inner] if inner is not None else [])


def _tree(leaf: Backend, locale: str) -> Tree:
    if isinstance(leaf, TreeBackend):
        leaf.available_locales()  # reads the files
        return leaf.tree(locale) or EMPTY
    return freeze(leaf.translations().get(locale) or {})
