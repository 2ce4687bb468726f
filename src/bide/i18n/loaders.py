"""Files of texts: YAML, JSON, TOML, PO, and Python files that were named in full."""

from __future__ import annotations

import io
import json
import runpy
import tomllib
from collections.abc import Callable, Mapping
from glob import glob, has_magic
from os import PathLike
from pathlib import Path
from typing import Any

from bide.errors import InvalidLocaleData, UnknownFileType
from bide.i18n import po, psych

LoadPath = "str | PathLike[str] | Iterable[LoadPath]"
Texts = dict[str, dict[str, Any]]

_FOLDER = ("*.yml", "*.yaml", "*.json", "*.toml", "*.po")


def filenames(*load_path: Any) -> list[Path]:
    """The files of a load path: names, Path objects, patterns and folders, in nested lists.

    Patterns and folders are sorted and never yield Python files.
    """
    found: list[Path] = []
    for entry in load_path:
        if isinstance(entry, (str, PathLike)):
            found.extend(_matching(str(entry)))
        else:
            found.extend(filenames(*entry))
    return list(dict.fromkeys(found))


def _matching(entry: str) -> list[Path]:
    path = Path(entry)
    if has_magic(entry) and not path.exists():
        names = sorted(glob(entry, recursive=True))  # noqa: PTH207 - patterns may be absolute
        return [Path(name) for name in names if not name.endswith(".py")]
    if path.is_dir():
        return sorted(name for pattern in _FOLDER for name in path.rglob(pattern))
    return [path]


def load_file(path: Path) -> Texts:
    """The texts of a file by locale.

    Raises UnknownFileType, or InvalidLocaleData when it cannot be read or holds something else.
    """
    loader = _LOADERS.get(path.suffix.lower())
    if loader is None:
        raise UnknownFileType(path.suffix.lstrip("."), str(path))
    try:
        data = loader(path)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidLocaleData(str(path), str(error)) from error
    return _by_locale(data, path)


def _by_locale(data: Any, path: Path) -> Texts:
    if not isinstance(data, Mapping):
        raise InvalidLocaleData(str(path), "expects it to return a hash, but does not")
    texts: Texts = {}
    for locale, below in data.items():
        if not isinstance(below, Mapping) and below is not None:
            raise InvalidLocaleData(
                str(path), f"{locale!r} must hold keys and texts, not {type(below).__name__}"
            )
        texts[str(locale)] = dict(below or {})
    return texts


def _yaml(path: Path) -> Any:
    return psych.load(path.read_bytes(), locales_on_top=True)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8-sig"))


def _toml(path: Path) -> Any:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _po(path: Path) -> Any:
    return {path.stem: po.read(io.BytesIO(path.read_bytes()), path.stem)}


def _python(path: Path) -> Any:
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    found = runpy.run_path(str(path)).get("translations")
    if not isinstance(found, Mapping):
        raise ValueError("a Python file of texts must hold a dict named `translations`")
    return found


_LOADERS: dict[str, Callable[[Path], Any]] = {
    ".yml": _yaml,
    ".yaml": _yaml,
    ".json": _json,
    ".toml": _toml,
    ".po": _po,
    ".py": _python,
}
