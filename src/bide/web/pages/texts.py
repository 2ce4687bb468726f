"""Texts: languages, lists, the page that edits one, changes, files. The handlers are in bide.web.texts."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.routing import Route

from bide.web.routes import get, post
from bide.web.screens import Screens
from bide.web.sections import Section
from bide.web.texts import adding, changes, editing, exchange, lists, reviewing
from bide.web.texts.place import Place, TextSets
from bide.web.visit import Visit

#: Bytes of a form with a file: its texts come a second time, as the base64 of what was looked at.
LARGEST_FILE = 2 * exchange.LARGEST


def section(screens: Screens) -> Section | None:
    """Nothing for an application that uses no texts."""
    if screens.app.i18n is None:
        return None
    return Section("texts", "/texts", "texts.view", _Routes(screens).all())


class _Routes:
    """The routes; each checks for itself what the viewer may do in the language at hand."""

    def __init__(self, screens: Screens) -> None:
        self._screens, self._sets = screens, TextSets(screens)

    def all(self) -> list[Route]:
        """All of them."""
        return [
            get(
                self._screens,
                "/texts",
                lambda visit: visit.redirect("/texts/app"),
                role="texts.view",
            ),
            self._of_set("", lists.show_languages),
            self._of_set("/history", changes.show_changes),
            self._does_to_set("", adding.change_language),
            self._does_to_set("/history", changes.revert),
            self._page("", lists.show_list),
            self._page("/text", editing.show_text),
            self._page("/live", editing.live),
            self._page("/exchange", exchange.show_exchange),
            self._page("/export", exchange.export),
            self._deed("/text", editing.save),
            self._deed("/check", editing.check),
            self._deed("/review", reviewing.review),
            self._deed("/exchange", exchange.bring_in, LARGEST_FILE),
        ]

    def _of_set(self, path: str, show: Callable[[Visit, TextSets], Response]) -> Route:
        handler = lambda visit: show(visit, self._sets)  # noqa: E731 - names nothing
        return get(self._screens, f"/texts/{{set}}{path}", handler, role="texts.view")

    def _does_to_set(self, path: str, do: Callable[[Visit, TextSets], Response]) -> Route:
        handler = lambda visit: do(visit, self._sets)  # noqa: E731 - names nothing
        return post(self._screens, f"/texts/{{set}}{path}", handler, role="texts.administer")

    def _page(self, path: str, show: Callable[[Place], Response]) -> Route:
        def handler(visit: Visit) -> Response:
            place = Place(visit, self._sets)
            place.demand("view")
            return show(place)

        return get(self._screens, f"/texts/{{set}}/{{locale}}{path}", handler, role="texts.view")

    def _deed(
        self, path: str, do: Callable[[Place], Response], largest: int = 4 * 1024 * 1024
    ) -> Route:  # fmt: skip
        def handler(visit: Visit) -> Response:
            place = Place(visit, self._sets)
            place.demand("suggest")
            return do(place)

        address = f"/texts/{{set}}/{{locale}}{path}"
        return post(self._screens, address, handler, role="texts.suggest", largest=largest)
