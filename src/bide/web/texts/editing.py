"""The page that edits one text, and what its form does: save, keep as a draft, suggest, check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bide.errors import (
    EditConflict,
    EditError,
    InvalidTextArgument,
    TextError,
    TextRefused,
    TextReplaces,
)
from bide.i18n.editing.findings import Finding
from bide.i18n.editing.forms import EXACT, Form, exact_forms, forms_of
from bide.i18n.editing.history import compared
from bide.i18n.editing.kept import loaded, stored
from bide.i18n.editing.readers import Progress
from bide.i18n.editing.text import Text
from bide.i18n.interpolation import interpolate
from bide.web.texts.forms import edit_of, filled_in, in_form
from bide.web.texts.marks import holders, parts, shown_key
from bide.web.texts.place import Place

#: Steps of the history on the page.
STEPS: Final = 20


class Problem(NamedTuple):
    """Why the form was not taken: `conflict`, `refused`, `confirm`, `replaces`, `other`."""

    kind: str
    error: TextError
    findings: tuple[Finding, ...] = ()


class Box(NamedTuple):
    """A field for one form of a text."""

    form: Form
    value: str
    exact: bool


def show_text(place: Place) -> Response:
    """The page of a text."""
    return page_of(place, _text(place))


def page_of(
    place: Place,
    text: Text,
    *,
    given: Any = None,
    problem: Problem | None = None,
    status: int = 200,
) -> Response:
    """The page with what was stored, or what was given and not taken, in its fields."""
    listing = place.editor.listing(text.locale)
    held = in_form(text.value if problem is None else given, text.kind)
    others = place.editor.text(place.reference, text.key) if place.reference else None
    return place.render(
        "text", status,
        text=text, held=held, boxes=_boxes(text, held), problem=problem,
        shown=shown_key(text.key), states=listing.states_of(text.key),
        source=parts(text.source), holders=holders(text.source), reference=parts(others and others.value),
        changed=compared(text.based_on, text.source) if _is_outdated(text) else [],
        findings=problem.findings if problem else text.findings, told="",
        conflict=_conflict(problem), steps=_steps(place, text), proposals=_proposals(place, text),
        next=listing.next(place.search, text.key), previous=listing.previous(place.search, text.key),
        saved=place.asked("saved"), progress=_progress(place), saved_key=shown_key(place.asked("saved_key")),
        previews=previews(place.locale, text.key, held) if text.kind == "forms" else [],
        writers=place.editor.writers.others(text.locale, text.key, place.visit.name),
    )  # fmt: skip


def save(place: Place) -> Response:
    """What the buttons below the fields do."""
    # A form sent by the keyboard names no button: it means the first one.
    text, deed = (
        _text(place),
        place.visit.field("do") or ("save" if place.may("edit") else "suggest"),
    )
    place.demand("edit" if deed == "save" else "suggest")
    value: Any = None
    try:
        value = filled_in(place, text)
        if text.read_only:
            raise InvalidTextArgument(place.visit.t(f"texts.read_only.{text.read_only}"))
        saved = _done(place, text, value, deed)
    except TextError as error:
        problem = _problem(error)
        fresh = place.editor.text(text.locale, text.key)
        given = value if value is not None else _raw(place, text)
        return page_of(place, fresh, given=given, problem=problem, status=409)
    place.editor.writers.leave(text.locale, text.key, place.visit.name)
    stay = place.visit.field("then") == "stay" or deed == "draft"
    return _go_on(place, text.key, saved, stay=stay)


def _done(place: Place, text: Text, value: Any, deed: str) -> str:
    """Do it; what the next page says was done: the version that is live, or a word."""
    reviews, author = place.editor.reviews, place.visit.name
    if value is None and text.in_table is None and not text.unreadable:
        return "nothing"
    if deed == "save":
        return str(place.editor.save(edit_of(place, text.key, value)).version)
    if value is None:
        raise InvalidTextArgument(place.visit.t("texts.nothing_given"))
    (reviews.draft if deed == "draft" else reviews.suggest)(place.locale, text.key, value, author)
    return "draft" if deed == "draft" else "suggestion"


def _go_on(place: Place, key: str, saved: str, *, stay: bool) -> Response:
    """To the next text of the filter, or back to the same."""
    following = key
    if not stay:
        following = place.editor.listing(place.locale).next(place.search, key) or ""
    what = {"saved": saved, "saved_key": key}
    return place.go("text", key=following, **what) if following else place.go(**what)


def check(place: Place) -> Response:
    """What the checks say about the fields, while somebody types."""
    text = _text(place)
    writers = place.editor.writers.write(text.locale, text.key, place.visit.name)
    try:
        value = filled_in(place, text)
        found = place.editor.saving.findings(place.locale, text.key, value)
    except TextError as error:
        return place.render("checks", findings=[], told=str(error), previews=[], writers=writers)
    shown = (
        previews(place.locale, text.key, in_form(value, "forms")) if text.kind == "forms" else []
    )
    return place.render("checks", findings=found, told="", previews=shown, writers=writers)


def live(place: Place) -> Response:
    """Which processes speak a version already."""
    return place.render("live", progress=_progress(place), saved=place.asked("saved"), saved_key="")


def previews(locale: str, key: str, forms: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each plural form with a number that it is for, filled in."""
    shown = []
    for form in (*exact_forms(), *forms_of(locale)):
        text = forms.get(form.name)
        if text and form.examples:
            count = form.examples[-1 if form.name == "other" else 0]
            filled = interpolate(
                str(text), {"count": count}, missing=lambda name, *_: f"%{{{name}}}"
            )
            shown.append((count, filled))
    return shown


def _progress(place: Place) -> Progress | None:
    version = place.asked("saved")
    known = version.isdecimal() and len(version) < 19
    return place.editor.readers.progress(int(version)) if known else None


def _text(place: Place) -> Text:
    key = place.asked("key")
    if not place.editor.sources.shows(key.partition(".")[0]):
        raise HTTPException(404)
    return place.editor.text(place.language.locale, key)


def _raw(place: Place, text: Text) -> Any:
    """What stands in the fields, where it means nothing."""
    if text.kind == "forms":
        return {form.name: place.visit.field(f"form.{form.name}") for form in text.forms}
    return place.visit.field("value")


def _problem(error: TextError) -> Problem:
    if isinstance(error, TextRefused):
        found = tuple(each for each in error.findings if isinstance(each, Finding))
        return Problem("confirm" if error.confirmable else "refused", error, found)
    kinds = {EditConflict: "conflict", TextReplaces: "replaces", EditError: "other"}
    return Problem(kinds.get(type(error), "other"), error)


def _conflict(problem: Problem | None) -> dict[str, Any] | None:
    error = problem.error if problem else None
    if not isinstance(error, EditConflict):
        return None
    pieces = compared(error.theirs, error.yours)
    return {
        "theirs": parts(error.theirs),
        "yours": parts(error.yours),
        "pieces": pieces,
        "error": error,
    }


def _boxes(text: Text, held: Any) -> list[Box]:
    return [
        Box(form, str(held.get(form.name) or ""), form.name in EXACT) for form in text.forms
    ] if text.kind == "forms" else []  # fmt: skip


def _is_outdated(text: Text) -> bool:
    return text.based_on is not None and stored(text.based_on) != stored(text.source)


def _steps(place: Place, text: Text) -> list[dict[str, Any]]:
    steps = place.editor.history.of(text.locale, text.key, STEPS, now=text.rows)
    return [
        {"step": step, "pieces": compared(step.before, step.after), "is_now": not index}
        for index, step in enumerate(steps)
    ]


def _proposals(place: Place, text: Text) -> list[dict[str, Any]]:
    return [
        {"one": one, "pieces": compared(text.value, loaded(one.value)), "mine": one.author == place.visit.name}
        for one in text.proposals
    ]  # fmt: skip
