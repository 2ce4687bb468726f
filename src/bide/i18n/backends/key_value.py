"""Texts in any store with `[]`, `[]=` and `keys()`: a dict, shelve, dbm, a client of Redis."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from bide.errors import InvalidPluralizationData, InvalidTextArgument
from bide.i18n.backends.base import Options, locale_path
from bide.i18n.backends.tree import TreeBackend
from bide.i18n.guarded import Guard
from bide.i18n.keys import ESCAPED_DOT, Key, flatten, unflatten
from bide.i18n.locales import locale_name
from bide.i18n.plurals import CATEGORIES
from bide.i18n.trees import Tree, freeze, handed_out, merged

_LINK = "$key"


class KeyValueStore(Protocol):
    """What a store must do; values are JSON text."""

    def __getitem__(self, key: str, /) -> Any:
        """The value of a key; KeyError when there is none."""

    def __setitem__(self, key: str, value: str, /) -> None:
        """Keep a value."""

    def __delitem__(self, key: str, /) -> None:
        """Forget a value."""

    def keys(self) -> Iterable[Any]:
        """All keys."""


class KeyValue(TreeBackend):
    """`KeyValue(store)`: `LOCALE.dotted.key` holds JSON; links are kept in the store.

    With `subtrees` (default) every namespace is stored too. Without, a namespace is missing, and
    the forms of a plural entry are fetched one by one.
    """

    def __init__(self, store: KeyValueStore, *, subtrees: bool = True) -> None:
        self.entries = store
        self.subtrees = subtrees
        self._guard = Guard()

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """The value of the whole path, or what a link on the way leads to."""
        first, *rest = locale_path(locale)
        steps = (*rest, *self.parts(key, scope, options))
        found = self._read(first, steps)
        if found is None and options.get("count") is not None and not self.subtrees:
            found = self._forms(first, steps)
        if found is None:
            for size in range(len(steps) - 1, 0, -1):
                link = self._read(first, steps[:size])
                if isinstance(link, Key):
                    return self._beyond(locale, link, steps[size:], options)
        return found

    def static(self, locale: str, key: Any) -> Any:
        """Unsure: others may write to the store."""
        return super(TreeBackend, self).static(locale, key)

    def _read(self, locale: str, steps: tuple[str, ...]) -> Any:
        try:
            text = self.entries[_flat(locale, steps)]
        except KeyError:
            return None
        return _decoded(text)

    def _forms(self, locale: str, steps: tuple[str, ...]) -> Any:
        forms = {name: self._read(locale, (*steps, name)) for name in (*CATEGORIES, "0", "1")}
        return {name: value for name, value in forms.items() if value is not None} or None

    def pluralize(self, locale: str, entry: Any, count: Any) -> Any:
        """As usual; without subtrees a missing form is a missing text."""
        try:
            return super().pluralize(locale, entry, count)
        except InvalidPluralizationData:
            if self.subtrees:
                raise
            return None

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """Add texts. Refuses callables, which no store can keep."""
        name = locale_name(locale)
        tree = freeze(data)
        with self._guard:
            whole = merged(self._tree(name), tree) if self.subtrees else tree
            flat = flatten(whole, escape=options.get("escape", True), subtrees=self.subtrees)
            texts = {_key(name, key): _encoded(key, value) for key, value in flat.items()}
            for key, text in texts.items():
                self.entries[key] = text
            self._drop_shadowed(name, flat)
        self.changed()

    def _drop_shadowed(self, locale: str, flat: Mapping[str, Any]) -> None:
        # A text stored where a namespace stood must not leave the namespace's texts behind.
        leaves = tuple(f"{_key(locale, k)}." for k, v in flat.items() if not isinstance(v, dict))
        parents = {
            ".".join(k.split(".")[:size]) for k in flat for size in range(1, k.count(".") + 1)
        }
        for key in list(_texts(self.entries.keys())):
            shadowed = not self.subtrees and key.removeprefix(locale + ".") in parents
            if key.startswith(locale + ".") and (shadowed or key.startswith(leaves)):
                del self.entries[key]

    def _tree(self, locale: str) -> Tree:
        return freeze(self.translations().get(locale, {}))

    def available_locales(self) -> tuple[str, ...]:
        """The first parts of all keys."""
        return tuple(
            dict.fromkeys(
                locale
                for locale, key in self._places()
                if key != "i18n" and not key.startswith("i18n.")
            )
        )

    def translations(self) -> dict[str, Any]:
        """All texts, rebuilt from the store."""
        texts: dict[str, Any] = {}
        for locale, key in self._places():
            value = _decoded(self.entries[_key(locale, key)])
            if not isinstance(value, dict):
                texts.setdefault(locale, {})[key] = handed_out(value)
        return {locale: unflatten(flat) for locale, flat in texts.items()}

    def _places(self) -> Iterator[tuple[str, str]]:
        for name in list(_texts(self.entries.keys())):
            locale, dot, key = name.partition(".")
            if dot:
                yield locale, key

    def initialized(self, locale: str | None = None) -> bool:
        """Whether there is a store."""
        return self.entries is not None


def _texts(keys: Iterable[Any]) -> Iterator[str]:
    for key in keys:
        yield key.decode() if isinstance(key, bytes) else str(key)


def _flat(locale: str, steps: tuple[str, ...]) -> str:
    return _key(locale, ".".join(step.replace(".", ESCAPED_DOT) for step in steps))


def _key(locale: str, key: str) -> str:
    return f"{locale}.{key}"


def _encoded(key: str, value: Any) -> str:
    def plain(each: Any) -> Any:
        if isinstance(each, Key):
            return {_LINK: str(each)}
        if isinstance(each, dict):
            return {str(part): plain(below) for part, below in each.items()}
        if isinstance(each, (list, tuple)):
            return [plain(below) for below in each]
        return each

    try:
        return json.dumps(plain(value), ensure_ascii=False)
    except TypeError as error:
        raise InvalidTextArgument(
            f"{key}: {value!r} can not be kept in a store; use texts, numbers, lists or Keys"
        ) from error


def _decoded(text: Any) -> Any:
    def links(pairs: dict[str, Any]) -> Any:
        return Key(pairs[_LINK]) if set(pairs) == {_LINK} else pairs

    value = json.loads(text, object_hook=links)
    return tuple(value) if isinstance(value, list) else value
