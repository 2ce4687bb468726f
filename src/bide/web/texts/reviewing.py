"""What is done to a text beside editing it: review, notes, suggestions, going back in its history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bide.errors import TextError, TextRefused
from bide.i18n.editing.findings import Finding
from bide.i18n.editing.saving import Saved
from bide.web.texts.editing import Problem, page_of
from bide.web.texts.forms import edit_of
from bide.web.texts.place import Place


def review(place: Place) -> Response:
    """Do what the pressed button says."""
    deed = place.visit.field("do")
    if deed not in _DEEDS:
        raise HTTPException(404)
    role, done = _DEEDS[deed]
    place.demand(role)
    key = place.asked("key")
    try:
        saved = done(place, key)
    except TextError as error:
        found: tuple[Finding, ...] = ()
        if isinstance(error, TextRefused):
            found = tuple(each for each in error.findings if isinstance(each, Finding))
        text = place.editor.text(place.locale, key)
        problem = Problem("other", error, found)
        return page_of(place, text, given=text.value, problem=problem, status=409)
    return place.go("text", key=key, saved=saved.version if saved else "noted", saved_key=key)


def _approve(place: Place, key: str) -> None:
    place.editor.reviews.approve(place.locale, key, place.visit.name)


def _request(place: Place, key: str) -> None:
    place.editor.reviews.request(place.locale, key, place.visit.name)


def _note(place: Place, key: str) -> None:
    text = place.visit.field("note").replace("\r\n", "\n").strip()
    place.editor.reviews.note(place.locale, key, text, place.visit.name)


def _accept(place: Place, key: str) -> Saved:
    number = _number(place)
    # A draft of one's own, and a suggestion of anybody: whoever accepts has seen its checks.
    edit = edit_of(place, key, None)._replace(confirmed=True)
    _of_here(place, key, number)
    return place.editor.reviews.accept(number, edit)


def _reject(place: Place, key: str) -> None:
    number = _number(place)
    proposal = _of_here(place, key, number)
    if proposal.author != place.visit.name:
        place.demand("edit")
    place.editor.reviews.reject(number, place.visit.name)


def _restore(place: Place, key: str) -> Saved:
    edit = edit_of(place, key, None)._replace(confirmed=True)
    return place.editor.history.restore(edit, _number(place))


def _of_here(place: Place, key: str, number: int) -> Any:
    """The suggestion, if it is one for this text: rights were checked for its language."""
    proposal = place.editor.reviews.find(number)
    if (proposal.locale, proposal.key) != (place.locale, key):
        raise HTTPException(404)
    return proposal


def _number(place: Place) -> int:
    given = place.visit.field("number")
    if not given.isdecimal() or len(given) > 18:
        raise HTTPException(404)
    return int(given)


_DEEDS: dict[str, tuple[str, Callable[[Place, str], Saved | None]]] = {
    "approve": ("approve", _approve),
    "request": ("suggest", _request),
    "note": ("suggest", _note),
    "accept": ("edit", _accept),
    "reject": ("suggest", _reject),
    "restore": ("edit", _restore),
}
