"""All changes of texts, whoever made them, and taking back those of one author."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from starlette.responses import Response

from bide.errors import TextError
from bide.i18n.editing.history import Revert, compared
from bide.i18n.editing.standing import value_of
from bide.i18n.side_tables.history import Change
from bide.web.texts.marks import shown_key
from bide.web.texts.place import SETS, TextSets
from bide.web.times import from_form
from bide.web.visit import Visit

SIZE: Final = 50


def show_changes(visit: Visit, sets: TextSets) -> Response:
    """The changes, the newest first, of a language or an author if asked for."""
    return _page(visit, sets)


def revert(visit: Visit, sets: TextSets) -> Response:
    """Show what taking back would do, or do it."""
    editor = sets.editor(str(visit.part("set")))
    author, since = visit.field("author"), visit.field("since")
    only = _administered(visit)
    try:
        moment = from_form(since, visit.zone)
    except ValueError:
        return _page(visit, sets, problem=visit.t("texts.changes.no_moment"), status=400)
    if visit.field("do") != "revert":
        return _page(visit, sets, plan=editor.history.plan(author, moment, only=only), since=since)
    try:
        done = editor.history.revert(author, moment, by=visit.name, only=only)
    except TextError as error:
        return _page(visit, sets, problem=str(error), status=400)
    said = visit.notice("texts_reverted", count=len(done.undone))
    return visit.redirect(visit.path.removesuffix("/revert"), said)


def _administered(visit: Visit) -> Callable[[str], bool]:
    """The languages in which the viewer may take back what others did."""
    return lambda locale: visit.may("texts.administer", locale)


def _page(
    visit: Visit, sets: TextSets, *, plan: Revert | None = None, since: str = "", problem: str = "", status: int = 200
) -> Response:  # fmt: skip
    name = str(visit.part("set"))
    editor = sets.editor(name)
    author = visit.field("author") or visit.query.get("author", "")
    locale, before = visit.query.get("locale", ""), visit.query.get("before", "")
    found = editor.history.latest(
        locale=locale or None, author=author or None,
        before=int(before) if before.isdecimal() and len(before) < 19 else None, most=SIZE + 1,
    )  # fmt: skip
    seen = [change for change in found[:SIZE] if visit.may("texts.view", change.locale)]
    return visit.render(
        "texts/changes.html", status, set=name, sets=SETS, locale=locale, author=author,
        changes=[_shown(change) for change in seen], plan=plan, since=since, problem=problem,
        older=found[SIZE - 1].id if len(found) > SIZE else None, authors=editor.history.authors(),
        locales=[one.locale for one in editor.languages.all()], shown_key=shown_key,
        planned=[(locale, shown_key(key), compared(_read(now), _read(then)))
                 for locale, key, now, then in (plan.undone[:200] if plan else ())],
    )  # fmt: skip


def _shown(change: Change) -> dict[str, Any]:
    return {
        "change": change,
        "key": shown_key(change.key) if change.key else "",
        "pieces": compared(_read(change.old_value), _read(change.new_value)),
    }


def _read(raw: str | None) -> Any:
    """The value of a row, or what stands there where nobody can read it."""
    if raw is None:
        return None
    value = value_of("", {"": raw})
    return raw if value is None else value
