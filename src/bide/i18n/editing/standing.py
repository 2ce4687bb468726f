"""What stands in the table for one text: its rows, their value, and the revision that an edit names."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final, NamedTuple

from bide.db.connection import Connection
from bide.errors import InvalidTextArgument
from bide.i18n.editing.entries import row_keys
from bide.i18n.keys import ESCAPED_DOT
from bide.i18n.psych import PsychError
from bide.i18n.row_values import decoded
from bide.i18n.rows import Found, Rows
from bide.i18n.trees import DEEPEST

#: Characters of a key.
LONGEST: Final = 2000
_PROC_NO: Final = (0, None, False, b"\x00", "f", "0")


class Standing(NamedTuple):
    """The rows of a text, and others that cannot stand beside it."""

    own: list[Found]
    others: list[Found]

    @property
    def revision(self) -> str:
        """Another after every change of the text."""
        rows = sorted((row.key, row.value, row.is_proc not in _PROC_NO) for row in self.own)
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:20]

    @property
    def is_code(self) -> bool:
        """Whether it is Ruby code, which is not ours."""
        return any(row.is_proc not in _PROC_NO for row in self.own)

    @property
    def raw(self) -> dict[str, str]:
        """Row key -> value, of the rows that have one."""
        return {row.key: row.value for row in self.own if row.value is not None}

    def in_the_way(self) -> list[str]:
        """The keys of texts that saving this one would remove."""
        return sorted({row.key for row in self.others if row.value is not None})


def standing(connection: Connection, rows: Rows, locale: str, key: str) -> Standing:
    """The rows of a text as they are now."""
    mine = set(row_keys(key))
    found = rows.standing(connection, locale, [key])
    own = [row for row in found if row.key in mine]
    return Standing(own, [row for row in found if row.key not in mine])


def value_of(key: str, raw: dict[str, str]) -> Any:
    """The value that rows hold together: a text, or plural forms. None: nothing, or unreadable."""
    forms = {name[len(key) + 1 :]: _read(text) for name, text in raw.items() if name != key}
    return forms or (_read(raw[key]) if key in raw else None)


def unreadable(raw: dict[str, str]) -> list[str]:
    """What is wrong with rows that nobody can read."""
    return [str(problem) for text in raw.values() if (problem := _problem(text)) is not None]


def _read(text: str) -> Any:
    return None if _problem(text) is not None else decoded(text)


def _problem(text: str) -> PsychError | None:
    try:
        decoded(text)
    except PsychError as error:
        return error
    return None


def checked_key(key: Any) -> str:
    """`key`, if it can be that of a text. Raises InvalidTextArgument."""
    if isinstance(key, str) and len(key) <= LONGEST and _are_parts(key.split(".")):
        return str(key)
    raise InvalidTextArgument(
        f"{key!r:.80} is no key of a text; it has parts with dots between them, such as "
        "'users.title'"
    )


def _are_parts(parts: list[str]) -> bool:
    return len(parts) <= DEEPEST and all(map(_is_part, parts))


def _is_part(part: str) -> bool:
    return bool(part) and part.replace(ESCAPED_DOT, ".").isprintable()


def checked_author(author: Any) -> str:
    """`author`, if it is a name. Raises InvalidTextArgument."""
    if isinstance(author, str) and author.isprintable() and 0 < len(author) <= 255:
        return str(author)
    raise InvalidTextArgument(f"{author!r:.80} is no author; pass a name, e.g. 'Ann'")
