"""What a form of the editor means: the value of a text, of its own kind."""

from __future__ import annotations

from math import isfinite
from typing import Any

from bide.errors import InvalidTextArgument
from bide.i18n.editing.saving import Edit
from bide.i18n.editing.text import Text
from bide.web.texts.place import Place


def filled_in(place: Place, text: Text) -> Any:
    """The value in the form; None where everything is empty. Raises InvalidTextArgument."""
    if text.kind == "forms":
        forms = {form.name: _lines(place, f"form.{form.name}") or None for form in text.forms}
        return forms if any(forms.values()) else None
    given = _lines(place, "value")
    if not given:
        return None
    return _OF_KIND.get(text.kind, _text)(given, text)


def _lines(place: Place, name: str) -> str:
    """A field, with line breaks as texts have them; browsers send them in two characters."""
    value = place.visit.form.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _text(given: str, _text_: Text) -> Any:
    return given


def _list(given: str, text: Text) -> Any:
    entries: list[str | None] = [line or None for line in given.split("\n")]
    while entries and entries[-1] is None:
        entries.pop()
    return entries


def _number(given: str, _text_: Text) -> Any:
    for kind in (int, float):
        try:
            number = kind(given.strip())
            if isfinite(number):
                return number
        except (ValueError, OverflowError):
            continue
    raise InvalidTextArgument(f"{given!r:.80} is no number; write it as 1000 or 0.5")


def _boolean(given: str, _text_: Text) -> Any:
    return given == "true"


_OF_KIND = {"list": _list, "number": _number, "boolean": _boolean}


def in_form(value: Any, kind: str) -> Any:
    """A value as the fields of the form hold it."""
    if kind == "forms":
        return value if isinstance(value, dict) else {"other": value} if value else {}
    if value is None:
        return ""
    if kind == "list":
        return "\n".join("" if each is None else str(each) for each in value)
    if kind == "boolean":
        return "true" if value else "false"
    return str(value)


def edit_of(place: Place, key: str, value: Any) -> Edit:
    """The edit that a form asks for; its state is what the viewer's role makes of it."""
    field = place.visit.field
    return Edit(
        place.locale, key, value, place.visit.name,
        expected=field("revision") or None,
        confirmed=field("confirmed") == "yes",
        replace=field("replace") == "yes",
        state="approved" if place.may("approve") else "needs_review",
    )  # fmt: skip
