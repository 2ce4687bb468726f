"""The triggers that count and keep every change of a text, whoever makes it, in its own transaction."""

from __future__ import annotations

import re
from importlib.resources import files

from bide.db.types import EXACT

_PREFIX = re.compile(r"\bbide_(?=[a-z])")


def made(kind: str, prefix: str, table: str) -> list[str]:
    """The statements that put them on `table`, for a kind of database."""
    return _statements(f"{_family(kind)}.sql", prefix, table)


def dropped(kind: str, prefix: str, table: str) -> list[str]:
    """The statements that take them away."""
    return _statements(f"{_family(kind)}_drop.sql", prefix, table)


def _family(kind: str) -> str:
    return "mysql" if kind == "mariadb" else kind


def _statements(name: str, prefix: str, table: str) -> list[str]:
    """The statements of a file, between lines of dashes, with the names that are wanted."""
    text = (files("bide.i18n.migrations") / "triggers_sql" / name).read_text(encoding="utf-8")
    known = {"{translations}": table, "{prefix}": prefix, "{exact}": EXACT}
    named = _PREFIX.sub(prefix, text)
    for place, name in known.items():
        named = named.replace(place, name)
    return [each.strip() for each in re.split(r"^-{4,}$", named, flags=re.MULTILINE)]
