"""SQL statements from package data: one per file, named by its verb, in each driver's own writing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bide.errors import FatalBackendError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

#: Quoted text, comments and casts are left alone, so that `:name` means a parameter only elsewhere.
_PIECES: Final = re.compile(
    r"""(?P<comment>--[^\n]*\n?) | (?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`) | (?P<cast>::)
        | :(?P<name>[a-z_][a-z0-9_]*) | (?P<percent>%)""",
    re.VERBOSE | re.IGNORECASE,
)
_PREFIX: Final = re.compile(r"\bbide_(?=[a-z])")


class Form(NamedTuple):
    """A statement in one parameter style; `names` is the order of positional parameters, else None."""

    text: str
    names: tuple[str, ...] | None

    def bind(self, params: Mapping[str, Any]) -> Any:
        """The parameters as the driver wants them: the mapping itself, or a tuple in order."""
        return params if self.names is None else tuple(params[name] for name in self.names)


class Statement:
    """One SQL statement with `:name` parameters, written once and turned into each style once."""

    __slots__ = ("_forms", "name", "text")

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self._forms: dict[str, Form] = {}

    def __repr__(self) -> str:
        return f"<Statement {self.name}>"

    def form(self, style: str) -> Form:
        """In a DB-API parameter style (pyformat, named, qmark, format, numeric_dollar)."""
        form = self._forms.get(style)
        if form is None:
            form = self._forms[style] = _write(self.text, style)
        return form


@lru_cache(maxsize=256)
def statement(text: str) -> Statement:
    """The statement that `text` holds, remembered."""
    return Statement(text, " ".join(text.split())[:60])


class Statements:
    """The statements of one package folder for one kind of database.

    `statements["claim"]` is `<package>/<kind>/claim.sql`, or `<package>/common/claim.sql`. The word
    prefix `bide_` of table and index names becomes `prefix` (queue.md DJ-099, DJ-100).
    """

    def __init__(self, package: str, kind: str, prefix: str = "bide_") -> None:
        self._package, self._kind, self._prefix = package, kind, prefix
        self._loaded: dict[str, Statement] = {}

    def __getitem__(self, name: str) -> Statement:
        found = self._loaded.get(name)
        if found is None:
            text = _PREFIX.sub(self._prefix, _read(self._package, self._kind, name))
            found = self._loaded[name] = Statement(text, name)
        return found

    def load(self, style: str) -> None:
        """Read every statement now, and write it in a style, so that forked processes share them."""
        for folder in (self._kind, "common"):
            for file in (_place(self._package) / folder).iterdir():
                if file.name.endswith(".sql"):
                    self[file.name.removesuffix(".sql")].form(style)


def _place(package: str) -> Traversable:
    """Its folder, or what stands for it in an archive; that takes importlib.resources, with zipfile."""
    paths = [Path(path) for path in import_module(package).__path__]
    if len(paths) == 1 and paths[0].is_dir():
        return paths[0]
    from importlib.resources import files

    return files(package)


@cache
def _read(package: str, kind: str, name: str) -> str:
    for folder in (kind, "common"):
        file = _place(package) / folder / f"{name}.sql"
        if file.is_file():
            return file.read_text(encoding="utf-8").strip()
    raise FatalBackendError(f"{package} has no statement {name}.sql for {kind}, nor a common one")


def _write(text: str, style: str) -> Form:
    order: list[str] = []
    placeholder, percent, named = _STYLES[style](order)

    def piece(match: re.Match[str]) -> str:
        if match["comment"]:
            return "\n"
        if match["name"]:
            return placeholder(match["name"])
        return match[0].replace("%", percent)

    written = _PIECES.sub(piece, text).strip()
    return Form(written, None if named else tuple(order))


def _each(order: list[str], name: str, sign: str) -> str:
    order.append(name)
    return sign


def _once(order: list[str], name: str) -> str:
    if name not in order:
        order.append(name)
    return f"${order.index(name) + 1}"


#: Style -> (placeholder of a name, how `%` is written, whether parameters go by name).
_STYLES: Final[dict[str, Callable[[list[str]], tuple[Callable[[str], str], str, bool]]]] = {
    "pyformat": lambda _: (lambda name: f"%({name})s", "%%", True),
    "named": lambda _: (lambda name: f":{name}", "%", True),
    "format": lambda order: (lambda name: _each(order, name, "%s"), "%%", False),
    "qmark": lambda order: (lambda name: _each(order, name, "?"), "%", False),
    "numeric_dollar": lambda order: (lambda name: _once(order, name), "%", False),
}
