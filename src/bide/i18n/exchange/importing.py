"""Texts from outside into the table: first what would change, then all of it in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from bide.db.connection import Connection
from bide.errors import InvalidTextArgument, TextConflict
from bide.i18n.backends.database import Database
from bide.i18n.exchange.bulk import Bulk
from bide.i18n.exchange.entries import Entry
from bide.i18n.exchange.modes import MODES, Mode
from bide.i18n.exchange.plan import Change, Plan, Step, by_locale, steps
from bide.i18n.locales import locale_name
from bide.i18n.row_values import encoded


def planned(database: Database, entries: Iterable[Entry], mode: Mode) -> Plan:
    """What importing would do; changes nothing. Raises InvalidTextArgument, NotMigrated."""
    texts, rows = _texts(entries, mode), database.live.rows
    found = rows.database.read(
        lambda connection: {
            locale: steps(locale, flat, rows.everything(connection, locale), mode)
            for locale, flat in texts.items()
        }
    )
    return Plan(mode, tuple(step.change for each in found.values() for step in each))


def imported(
    database: Database,
    entries: Iterable[Entry],
    mode: Mode,
    *,
    author: str,
    agreed: Collection[tuple[str, str]] = (),
    wrote: Callable[[int], None] = lambda number: None,
) -> Plan:
    """Import texts in one transaction and tell what was done.

    `agreed` are the (locale, key) of conflicts that may replace what stands there. What became one
    since the dry run raises TextConflict, and nothing is changed. `wrote` hears how many texts were
    written just now.
    """
    texts, rows = _texts(entries, mode), database.live.rows

    def work(connection: Connection) -> Plan:
        before = rows.locked(connection)
        found = {
            locale: steps(locale, flat, rows.everything(connection, locale), mode)
            for locale, flat in texts.items()
        }
        plan = Plan(mode, tuple(step.change for each in found.values() for step in each))
        _refuse(plan.conflicts, agreed)
        for locale, each in found.items():
            _write(Bulk(rows, connection, locale, wrote), each)
        rows.sign(connection, before, author)
        return plan

    plan = rows.database.run(work, repeat=True)
    database.written()
    return plan


def _texts(entries: Iterable[Entry], mode: Mode) -> Mapping[str, Mapping[str, Any]]:
    if mode not in MODES:
        raise InvalidTextArgument(f"{mode!r} is no way to import; use {', '.join(MODES)}")
    return {locale_name(locale): flat for locale, flat in by_locale(entries).items()}


def _refuse(conflicts: Iterable[Change], agreed: Collection[tuple[str, str]]) -> None:
    agreed = frozenset(agreed)
    unasked = [change for change in conflicts if (change.locale, change.key) not in agreed]
    if unasked:
        raise TextConflict([f"{change.locale}.{change.key}" for change in unasked])


def _write(bulk: Bulk, found: list[Step]) -> None:
    made = [step for step in found if step.change.action in ("add", "change", "replace")]
    bulk.delete(sorted({row for step in made for row in step.removed}))
    bulk.change({step.row: _value(step) for step in made if step.row is not None})
    bulk.add({step.change.key: _value(step) for step in made if step.row is None})


def _value(step: Step) -> str | None:
    return encoded(step.change.key, step.change.new)
