"""The lists: all languages with their progress, and all texts of one language."""

from __future__ import annotations

from typing import Final, NamedTuple

from starlette.responses import Response

from bide.i18n.editing.languages import Language, own_name
from bide.i18n.editing.languages import name as name_of
from bide.i18n.editing.listing import STATES
from bide.web.texts.marks import parts, shown_key
from bide.web.texts.place import SETS, Place, TextSets
from bide.web.visit import Visit

SIZE: Final = 50


class Progress(NamedTuple):
    """A language and how far it is."""

    language: Language
    name: str
    own_name: str
    counts: dict[str, int]

    @property
    def share(self) -> int:
        """Percent of the texts that are there, rounded down."""
        there = self.counts["all"] - self.counts["missing"]
        return 100 * there // self.counts["all"] if self.counts["all"] else 100


def show_languages(visit: Visit, sets: TextSets, *, said: str = "", status: int = 200) -> Response:
    """Every language, and a form to add one."""
    name = str(visit.part("set"))
    editor = sets.editor(name)
    found = [
        Progress(
            each,
            name_of(each.locale, visit.locale),
            own_name(each.locale),
            editor.listing(each.locale).counts(),
        )
        for each in editor.languages.all()
        if visit.may("texts.view", each.locale)
    ]
    return visit.render(
        "texts/languages.html", status, set=name, sets=SETS, found=found, problem=said,
        source=editor.source_locale, progress=editor.readers.progress(0), given=visit.field("locale"),
    )  # fmt: skip


def show_list(place: Place) -> Response:
    """The texts of a language, filtered, page by page."""
    listing = place.editor.listing(place.language.locale)
    page = listing.page(
        place.search,
        after=place.asked("after") or None,
        before=place.asked("before") or None,
        size=SIZE,
    )
    other = place.editor.listing(place.reference) if place.reference else None
    return place.render(
        "list",
        lines=[
            {
                "key": line.key, "shown": shown_key(line.key), "source": parts(line.source),
                "target": parts(line.target), "states": line.states,
                "reference": parts(other.value(line.key)) if other else [],
            }
            for line in page.lines
        ],
        page=page, counts=listing.counts(place.words), states=("", *STATES),
    )  # fmt: skip
