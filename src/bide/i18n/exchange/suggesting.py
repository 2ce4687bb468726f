"""Texts of a file kept as suggestions, for somebody to look at and accept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from bide.errors import InvalidTextArgument, TextRefused
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.forms import FORMS
from bide.i18n.exchange.plan import Change, Plan


class Refused(NamedTuple):
    """A text that is not even a suggestion, and why."""

    locale: str
    key: str
    problem: str


def suggested(
    editor: Editor, plan: Plan, author: str, wrote: Callable[[int], None] = lambda number: None
) -> list[Refused]:
    """Keep what a plan suggests, text by text; plural forms of one text together. Texts with errors
    are refused and told; the others are kept."""
    refused = []
    for locale, key, value in _texts(plan.changes):
        try:
            editor.reviews.suggest(locale, key, value, author)
        except (TextRefused, InvalidTextArgument) as error:
            refused.append(Refused(locale, key, str(error)))
        wrote(len(value) if isinstance(value, dict) else 1)
    return refused


def _texts(changes: Iterable[Change]) -> Iterable[tuple[str, str, Any]]:
    changes = list(changes)
    plural = {_above(one) for one in changes if one.key.endswith(".other")}
    forms: dict[tuple[str, str], dict[str, Any]] = {}
    new = []
    for one in changes:
        above, form = _above(one), one.key.rpartition(".")[2]
        if above in plural and form in FORMS and one.new is not None:
            forms.setdefault(above, {})[form] = one.new
            if one.action == "suggest" and above not in new:
                new.append(above)
        elif one.action == "suggest":
            yield one.locale, one.key, one.new
    for locale, key in new:
        yield locale, key, forms[locale, key]


def _above(change: Change) -> tuple[str, str]:
    return change.locale, change.key.rpartition(".")[0]
