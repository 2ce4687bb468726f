"""Where a translator is: which set of texts, which language, which filter, and what they may do there."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from bide.i18n.editing import languages
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.languages import Language
from bide.i18n.editing.listing import Search
from bide.web.screens import Screens
from bide.web.visit import Visit

#: The application's texts, and the words of these screens.
SETS: Final = ("app", "screens")
#: Characters of a search.
LONGEST_SEARCH: Final = 200


class TextSets:
    """The editors of one application's screens, made at the first use."""

    def __init__(self, screens: Screens) -> None:
        self._screens = screens
        self._editors: dict[str, Editor] = {}

    def editor(self, name: str) -> Editor:
        """The editor of a set. Raises HTTPException for none, SettingsError for texts in files."""
        if name not in SETS or self._screens.app.i18n is None:
            raise HTTPException(404)
        if name not in self._editors:
            own = name == "screens"
            i18n = self._screens.words if own else self._screens.app.i18n
            self._editors[name] = Editor(i18n, own=own)
        return self._editors[name]


class Place:
    """One language of one set, as a viewer sees it. Raises HTTPException for one that is none."""

    def __init__(self, visit: Visit, sets: TextSets) -> None:
        self.visit = visit
        self.set = str(visit.part("set"))
        self.locale = str(visit.part("locale"))
        self.editor = sets.editor(self.set)
        self.languages = self.editor.languages.all()

    @cached_property
    def language(self) -> Language:
        """The language."""
        found = [one for one in self.languages if one.locale == self.locale]
        if not found:
            raise HTTPException(404)
        return found[0]

    def may(self, deed: str) -> bool:
        """Whether the viewer may `view`, `suggest`, `edit`, `approve` or `administer` here."""
        return self.visit.may(f"texts.{deed}", self.locale)

    def demand(self, deed: str) -> None:
        """Refuse whoever may not, and a language that is none. Raises HTTPException."""
        if not self.may(deed):
            raise HTTPException(403, "role")
        assert self.language

    @property
    def is_source(self) -> bool:
        """Whether this is the language that is translated from."""
        return self.locale == self.editor.source_locale

    # What is asked for: in the address, or carried along by a form

    def asked(self, name: str) -> str:
        """A field of the address or the form, without the NUL that no database takes."""
        return self.visit.field(name) or self.visit.query.get(name, "").replace("\0", "")

    @cached_property
    def words(self) -> str:
        """The words searched for."""
        return self.asked("q")[:LONGEST_SEARCH].strip()

    @cached_property
    def state(self) -> str:
        """The state that is listed; empty for all."""
        return self.search.state

    @cached_property
    def search(self) -> Search:
        """Both together."""
        return Search.of(self.asked("state"), self.words)

    @cached_property
    def reference(self) -> str:
        """A second language that is shown beside; empty for none."""
        asked = self.asked("ref")
        others = {one.locale for one in self.languages} - {self.locale, self.editor.source_locale}
        return asked if asked in others else ""

    @property
    def filter(self) -> dict[str, str]:
        """The filter, to be carried along in addresses and forms."""
        return {"state": self.state, "q": self.words, "ref": self.reference}

    # Addresses and answers

    def url(self, page: str = "", /, **query: Any) -> str:
        """The address of a page of this language, with the filter."""
        return self.visit.url(self.path(page), {**self.filter, **query})

    def path(self, page: str = "") -> str:
        """Its path."""
        return f"/texts/{self.set}/{self.locale}{'/' + page if page else ''}"

    def go(self, page: str = "", /, **query: Any) -> Response:
        """Go to a page of this language."""
        return self.visit.redirect(self.path(page), {**self.filter, **query})

    def name_of(self, locale: str) -> str:
        """What a language is called in that of the screens."""
        return languages.name(locale, self.visit.locale)

    def direction_of(self, locale: str) -> str:
        """`ltr` or `rtl`."""
        return languages.direction(locale)

    def render(self, template: str, status: int = 200, /, **context: Any) -> Response:
        """A page of this language."""
        return self.visit.render(f"texts/{template}.html", status, place=self, **context)
