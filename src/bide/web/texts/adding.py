"""Adding a language, letting readers have it, taking it back."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bide.errors import TextError
from bide.web.texts.lists import show_languages
from bide.web.texts.place import TextSets
from bide.web.visit import Visit


def change_language(visit: Visit, sets: TextSets) -> Response:
    """Do what the pressed button says to a language."""
    editor = sets.editor(str(visit.part("set")))
    locale, deed = visit.field("locale").strip(), visit.field("do")
    deeds = {
        "add": editor.languages.add,
        "publish": editor.languages.publish,
        "withdraw": editor.languages.withdraw,
    }
    if deed not in deeds:
        raise HTTPException(404)
    if not visit.may("texts.administer", locale):
        raise HTTPException(403, "role")
    try:
        deeds[deed](locale, visit.name)
    except TextError as error:
        return show_languages(visit, sets, said=str(error), status=400)
    return visit.redirect(visit.path, visit.notice(f"texts_language_{deed}", locale=locale))
