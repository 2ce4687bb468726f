"""Which keys a program names: found in its Python code and templates, without running them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from bide.errors import InvalidTextArgument

#: Functions and filters that take a key.
ASKING: Final = frozenset(
    ("t", "translate", "t_strict", "exists", "Key", "interpolation_keys", "trans")
)
TEMPLATES: Final = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".txt", ".xml", ".md")
_SKIPPED: Final = frozenset(
    (".git", ".venv", "venv", "node_modules", "__pycache__", ".tox", "site-packages")
)
_LARGEST: Final = 4 * 1024 * 1024
_QUOTED: Final = re.compile(r"""(["'])((?:[\w\-]+\.)*[\w\-]+)\1""")
_STARTS: Final = re.compile(r"""\b(?:t|translate)\(?\s*(["'])((?:[\w\-]+\.)+)\1\s*[~+]""")


class Usage(NamedTuple):
    """What was found. `exact` are words in quotation marks, `asked` keys given to a function that
    asks for texts, `starts` the beginnings of computed keys, `computed` where a whole key is."""

    exact: frozenset[str]
    asked: frozenset[str]
    starts: tuple[str, ...]
    computed: tuple[str, ...]

    def names(self, key: str) -> bool:
        """Whether the key, a namespace around it, or its beginning is named."""
        if key in self.exact or key.startswith(self.starts):
            return True
        parts = key.split(".")
        return any(".".join(parts[:size]) in self.asked for size in range(1, len(parts)))


def found_in(paths: Iterable[Path]) -> Usage:
    """What the files and folders name. Raises InvalidTextArgument for a path that is not there."""
    exact: set[str] = set()
    asked: set[str] = set()
    starts: set[str] = set()
    computed: list[str] = []
    for path in _files(paths):
        text = path.read_text(encoding="utf-8", errors="replace")
        if path.suffix == ".py":
            reader = _Python(str(path))
            reader.read(text)
            exact |= reader.exact
            asked |= reader.asked
            starts |= reader.starts
            computed += reader.computed
        else:
            exact |= {match[2] for match in _QUOTED.finditer(text)}
            starts |= {match[2] for match in _STARTS.finditer(text)}
    return Usage(frozenset(exact | asked), frozenset(asked), tuple(sorted(starts)), tuple(computed))


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_file():
            yield path
        elif path.is_dir():
            yield from _below(path)
        else:
            raise InvalidTextArgument(f"{path}: no such file or folder to look for keys in")


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or path.name in _SKIPPED:
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.suffix in (".py", *TEMPLATES) and path.stat().st_size <= _LARGEST:
            yield path


class _Python(ast.NodeVisitor):
    """Looks through one file of code. A file that is no Python of this version counts as text."""

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self.exact: set[str] = set()
        self.asked: set[str] = set()
        self.starts: set[str] = set()
        self.computed: list[str] = []

    def read(self, text: str) -> None:
        """Take in what a file names."""
        try:
            self.visit(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError):
            self.exact |= {match[2] for match in _QUOTED.finditer(text)}

    def visit_Constant(self, node: ast.Constant) -> None:
        """A word in quotation marks may be a key, wherever it stands."""
        if isinstance(node.value, str) and len(node.value) < 500:
            self.exact.add(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """The key of a call that asks for a text, below its scope."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name in ASKING and node.args:
            given = {each.arg: each.value for each in node.keywords}
            for each in _each(node.args[0]):
                self._key(each, _scope(given.get("scope")), node.lineno)
        self.generic_visit(node)

    def _key(self, node: Any, scope: str | None, line: int) -> None:
        start, whole = _text(node)
        if scope is None or (not whole and not start):
            self.computed.append(f"{self._filename}:{line}")
            if scope:
                self.starts.add(f"{scope}.")
        elif whole:
            self.asked.add(f"{scope}.{start}" if scope else start)
        else:
            self.starts.add(f"{scope}.{start}" if scope else start)


def _each(node: Any) -> list[Any]:
    if node is None:
        return []
    return list(node.elts) if isinstance(node, (ast.List, ast.Tuple)) else [node]


def _text(node: Any) -> tuple[str, bool]:
    """The text of an expression as far as it is known, and whether that is all of it."""
    if isinstance(node, ast.Constant):
        return str(node.value), True
    if isinstance(node, ast.JoinedStr):
        first = node.values[0] if node.values else None
        known = str(first.value) if isinstance(first, ast.Constant) else ""
        return known, all(isinstance(each, ast.Constant) for each in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        text, _ = _text(node.left)
        return (text.partition("%")[0] if isinstance(node.op, ast.Mod) else text), False
    return "", False


def _scope(node: Any) -> str | None:
    """A scope that is written out; "" for none, None for a computed one."""
    if node is None:
        return ""
    texts = [_text(each) for each in _each(node)]
    return ".".join(text for text, _ in texts) if all(whole for _, whole in texts) else None
