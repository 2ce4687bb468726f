"""What an import would do, text by text: the dry run, and what the import itself goes by."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from bide.errors import InvalidTextArgument, TextError
from bide.i18n.exchange.entries import Entry, shown_key
from bide.i18n.exchange.modes import Mode
from bide.i18n.psych import PsychError
from bide.i18n.row_values import decoded, encoded
from bide.i18n.rows import Found, parents
from bide.i18n.trees import freeze

#: add: nothing stood there; change: another text; replace: what stood there is of another shape (texts
#: above or below it, or Ruby's code) and goes; suggest: kept as a suggestion; same: nothing to do; keep: not
#: imported, for something stands there; empty: the file has no text for it.
Action = Literal["add", "change", "replace", "suggest", "same", "keep", "empty"]


class Change(NamedTuple):
    """What happens to one text. `gone` are the texts above or below it that it replaces."""

    locale: str
    key: str
    action: Action
    old: Any = None
    new: Any = None
    gone: tuple[tuple[str, Any], ...] = ()


class Step(NamedTuple):
    """A change, and the rows that it is made of."""

    change: Change
    row: int | None
    removed: tuple[int, ...]


class Plan(NamedTuple):
    """Everything an import would do."""

    mode: Mode
    changes: tuple[Change, ...]

    def count(self, action: Action) -> int:
        """How many texts are treated so."""
        return sum(change.action == action for change in self.changes)

    @property
    def conflicts(self) -> tuple[Change, ...]:
        """Those that take away more than the text itself, and must be agreed to."""
        return tuple(change for change in self.changes if change.action == "replace")


def by_locale(entries: Iterable[Entry]) -> dict[str, dict[str, Any]]:
    """Values by locale and key. Raises InvalidTextArgument where a text stands above others."""
    texts: dict[str, dict[str, Any]] = {}
    for entry in entries:
        texts.setdefault(entry.locale, {})[entry.key] = entry.value
    for locale, flat in texts.items():
        for key, value in flat.items():
            above = [each for each in parents(key) if flat.get(each) is not None]
            if value is not None and above:
                raise InvalidTextArgument(
                    f"{locale}: the file holds a text for {shown_key(above[0])!r} and others below it, such as "
                    f"{shown_key(key)!r}; only one of both can stand"
                )
    return texts


class Standing:
    """The rows of one locale, to be asked for what is above and below a key."""

    def __init__(self, rows: Sequence[Found]) -> None:
        self._first: dict[str, Found] = {}
        self._rows: dict[str, list[Found]] = {}
        for row in rows:
            self._first.setdefault(row.key, row)
            self._rows.setdefault(row.key, []).append(row)
        self._keys = sorted(self._rows)

    def at(self, key: str) -> Found | None:
        """The row that is read for a key: the first."""
        return self._first.get(key)

    def around(self, key: str) -> list[Found]:
        """The rows above and below a key, and further ones for itself."""
        start = bisect_left(self._keys, f"{key}.")
        end = bisect_left(self._keys, f"{key}/")
        keys = [each for each in parents(key) if each in self._rows] + self._keys[start:end]
        return [row for each in keys for row in self._rows[each]] + self._rows.get(key, [])[1:]


def steps(
    locale: str, texts: Mapping[str, Any], rows: Sequence[Found], mode: Mode
) -> list[Step]:  # fmt: skip
    """What happens to each text of a locale."""
    standing = Standing(rows)
    return [_step(locale, key, value, standing, mode) for key, value in texts.items()]


def _step(locale: str, key: str, value: Any, standing: Standing, mode: Mode) -> Step:
    row, around = standing.at(key), standing.around(key)
    old = None if row is None else shown(row)
    gone = tuple((each.key, shown(each)) for each in around if each.value is not None)
    action = _action(key, value, row, bool(gone), mode)
    change = Change(locale, key, action, old, value, gone if action == "replace" else ())
    return Step(change, row.id if row else None, tuple(each.id for each in around))


def _action(key: str, value: Any, row: Found | None, blocked: bool, mode: Mode) -> Action:
    if value is None:
        return "empty"
    foreign = row is not None and _is_code(row)
    if not blocked and not foreign and row is not None and _same(key, value, row):
        return "same"
    if mode == "suggest":
        return "suggest"
    free = row is None or (row.value is None and not foreign)
    if mode == "missing" and (blocked or not free):
        return "keep"
    if blocked or foreign:
        return "replace"
    return "add" if free else "change"


def _is_code(row: Found) -> bool:
    return row.is_proc not in (0, None, False, b"\x00", "f", "0")


def _same(key: str, value: Any, row: Found) -> bool:
    return encoded(key, value) in (row.value, encoded(key, shown(row)))


def shown(row: Found) -> Any:
    """The value of a row; what cannot be read, and Ruby's code, as it is written there."""
    if _is_code(row):
        return row.value
    try:
        return freeze({"": decoded(row.value)})[""]
    except (PsychError, TextError):
        return row.value
