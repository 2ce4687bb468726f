"""Texts as files: taken out of one language, and brought in after a look at what would change."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import Response

from bide.errors import InvalidTextArgument, TextRefused
from bide.i18n.editing.findings import ERROR
from bide.i18n.editing.history import compared
from bide.i18n.exchange.entries import Entry
from bide.i18n.exchange.formats import FORMATS, format_of
from bide.i18n.exchange.importing import imported, planned
from bide.i18n.exchange.modes import MODES, Mode
from bide.i18n.exchange.plan import Change, Plan
from bide.i18n.keys import flatten
from bide.web.texts.marks import shown_key
from bide.web.texts.place import Place

#: Bytes of a file, and lines of a plan that are shown.
LARGEST: Final = 10 * 1024 * 1024
SHOWN: Final = 200


def show_exchange(place: Place) -> Response:
    """Both forms."""
    return _page(place)


def export(place: Place) -> Response:
    """The texts of the language as a file, those of the filter if one is set."""
    name = place.asked("format")
    if name not in FORMATS:
        raise HTTPException(404)
    made, format_ = io.BytesIO(), FORMATS[name]
    format_.write(made, list(_entries(place)), place.editor.source_locale)
    filename = f"{place.locale}{format_.suffixes[0]}"
    return Response(
        made.getvalue(),
        media_type=f"{format_.media_type}; charset=utf-8",
        headers={"content-disposition": f"attachment; filename*=UTF-8''{quote(filename)}"},
    )


def _entries(place: Place) -> Iterator[Entry]:
    """What is there and, for those who translate in a file, what is missing."""
    listing = place.editor.listing(place.language.locale)
    after: str | None = None
    while True:
        page = listing.page(place.search, after=after, size=1000)
        for line in page.lines:
            yield from _lines(place.locale, line.key, line.source, line.target)
        after = page.after
        if after is None:
            return


def _lines(locale: str, key: str, source: Any, target: Any) -> Iterator[Entry]:
    sources = flatten({key: source}, escape=False)
    targets = flatten({key: target}, escape=False) if target is not None else {}
    for each in dict.fromkeys((*sources, *targets)):
        value, model = targets.get(each), sources.get(each)
        if value is not None or (model is not None and target is None):
            yield Entry(locale, each, value, model)


def bring_in(place: Place) -> Response:
    """Show what a file would change, or change it."""
    place.demand("suggest" if place.visit.field("mode") == "suggest" else "edit")
    try:
        filename, data = _file(place)
        entries = _read(place, filename, data)
        if place.visit.field("do") != "import":
            return _page(place, plan=_planned(place, entries), filename=filename, data=data)
        count = _bring_in(place, entries)
    except ValueError as error:  # every TextError, and what is no base64
        return _page(place, problem=str(error), status=400)
    return place.visit.redirect(place.path(), place.visit.notice("texts_imported", count=count))


def _file(place: Place) -> tuple[str, bytes]:
    sent = place.visit.form.get("file")
    if isinstance(sent, UploadFile) and sent.filename:
        return sent.filename[-200:], sent.file.read(LARGEST + 1)
    return place.visit.field("filename"), base64.b64decode(place.visit.field("data"), validate=True)


def _read(place: Place, filename: str, data: bytes) -> list[Entry]:
    format_ = format_of(filename)
    entries = list(format_.read(io.BytesIO(data), filename, place.locale))
    others = sorted({entry.locale for entry in entries} - {place.locale})
    found = [entry for entry in entries if entry.locale == place.locale]
    shows = place.editor.sources.shows
    if others and not found:
        said = place.visit.t("texts.exchange.other_language", found=", ".join(others))
        raise InvalidTextArgument(said)
    return [entry for entry in found if shows(entry.key.partition(".")[0])]


def _mode(place: Place) -> Mode:
    given = place.visit.field("mode")
    return next((mode for mode in MODES if mode == given), "missing")


def _planned(place: Place, entries: list[Entry]) -> Plan:
    return planned(place.editor.sources.database, entries, _mode(place))


def _bring_in(place: Place, entries: list[Entry]) -> int:
    if _mode(place) == "suggest":
        return _suggested(place, entries)
    wrong = _wrong(place, entries)
    fine = [entry for entry in entries if entry.key not in wrong]
    agreed = []
    if place.visit.field("agreed") == "yes":
        agreed = [(one.locale, one.key) for one in _planned(place, fine).conflicts]
    plan = imported(
        place.editor.sources.database, fine, _mode(place), author=place.visit.name, agreed=agreed
    )
    return sum(plan.count(action) for action in ("add", "change", "replace"))


def _suggested(place: Place, entries: list[Entry]) -> int:
    count = 0
    for change in _planned(place, entries).changes:
        if change.action == "suggest":
            try:
                reviews = place.editor.reviews
                reviews.suggest(place.locale, change.key, change.new, place.visit.name)
                count += 1
            except TextRefused:
                continue
    return count


def _wrong(place: Place, entries: list[Entry]) -> set[str]:
    """The keys whose texts must not go live."""
    values = {entry.key: entry.value for entry in entries if entry.value is not None}
    found = place.editor.saving.findings_of(place.locale, values)
    return {
        key
        for key, findings in found.items()
        if any(one.severity == ERROR and one.check not in _OF_WHOLE for one in findings)
    }


#: What a single form cannot be blamed for.
_OF_WHOLE: Final = ("missing_other", "other_kind")


def _page(
    place: Place, *, plan: Plan | None = None, filename: str = "", data: bytes = b"", problem: str = "", status: int = 200
) -> Response:  # fmt: skip
    changes = [one for one in plan.changes if one.action not in ("same", "empty")] if plan else []
    wrong = _wrong(place, [Entry(c.locale, c.key, c.new) for c in changes]) if plan else set()
    return place.render(
        "exchange", status, formats=FORMATS, modes=MODES, mode=_mode(place), plan=plan, filename=filename,
        data=base64.b64encode(data).decode(), problem=problem, wrong=wrong,
        lines=[_line(change, wrong) for change in changes[:SHOWN]], more=max(0, len(changes) - SHOWN),
        filtered=bool(place.state or place.words), matching=_matching(place),
    )  # fmt: skip


def _matching(place: Place) -> int:
    listing = place.editor.listing(place.language.locale)
    counts = listing.counts(place.words)
    return counts[place.state or "all"]


def _line(change: Change, wrong: set[str]) -> dict[str, Any]:
    return {
        "change": change,
        "key": shown_key(change.key),
        "pieces": compared(change.old, change.new),
        "gone": [(shown_key(key), value) for key, value in change.gone],
        "wrong": change.key in wrong,
    }
