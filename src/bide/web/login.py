"""Logging in and out, and what a viewer prefers."""

from __future__ import annotations

from math import ceil
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bide.web.rates import Rate
from bide.web.routes import get, post
from bide.web.screens import Screens
from bide.web.security import READING, SESSION_COOKIE, client_address, path_of, set_cookie
from bide.web.visit import LOCALE_COOKIE, THEME_COOKIE, THEMES, Visit
from bide.web.words import LANGUAGES

#: What the audit list calls who came with the one-time token.
LOCAL: Final = "local"
_YEAR: Final = 365 * 86400


class Login:
    """The login page. Five wrong passwords for a name, or twenty of an address, and it waits."""

    def __init__(self, screens: Screens) -> None:
        self._screens = screens
        self._by_address, self._by_name = Rate(20, 300.0), Rate(5, 300.0)

    def routes(self) -> list[Route]:
        """Login, logout and preferences."""
        screens = self._screens
        return [
            get(screens, "/login", self.page, role=None),
            post(screens, "/login", self.enter, role=None, largest=16_384),
            post(screens, "/logout", self.leave, role=None, largest=16_384),
            post(screens, "/preferences", prefer, role=None, largest=16_384),
        ]

    def asked(self, request: Request) -> Response:
        """The answer to somebody who is not known: the login page, or a refusal where the
        application's own hook said no."""
        visit = Visit(self._screens, request)
        if self._screens.security.auth is not None:
            return visit.render("refused.html", 403, reason="auth", told="")
        if request.query_params.get("live") is not None:
            return HTMLResponse("", 401)
        if request.method not in READING:
            return self._form(visit, 401, problem="ended")
        here = visit.url(path_of(request.scope), dict(request.query_params))
        home = path_of(request.scope) == "/"
        return visit.redirect("/login", next=None if home else here)

    def page(self, visit: Visit) -> Response:
        """The form; with the one-time token of the address in it."""
        if self._screens.security.auth is not None:
            return visit.redirect("/")
        return self._form(visit)

    def enter(self, visit: Visit) -> Response:
        """Begin a session, or say that name and password do not fit."""
        address, name = client_address(visit.request), visit.field("name")
        wait = self._wait(address, name)
        if wait > 0:
            answer = self._form(visit, 429, problem="wait", wait=visit.duration(ceil(wait)))
            answer.headers["retry-after"] = str(ceil(wait))
            return answer
        cookie = self._cookie(visit)
        if cookie is None:
            return self._form(visit, 403, problem="wrong")
        self._by_name.succeed(name)
        self._by_address.forgive(address)
        response = visit.back("/")
        response.headers.append(
            "set-cookie", set_cookie(visit.request.scope, SESSION_COOKIE, cookie)
        )
        return response

    def _wait(self, address: str, name: str) -> float:
        """Seconds until this may be tried."""
        wait = self._by_name.begin(name)
        if wait == 0 and (wait := self._by_address.begin(address)) > 0:
            self._by_name.forgive(name)
        return wait

    def _cookie(self, visit: Visit) -> str | None:
        security = self._screens.security
        if security.users is not None:
            user = security.users.check(visit.field("name"), visit.field("password"))
            return None if user is None else security.sessions.begin(user.viewer.name, user.mark)
        if security.token is not None and security.token.use(visit.field("token").strip()):
            return security.sessions.begin(LOCAL, "token")
        return None

    def leave(self, visit: Visit) -> Response:
        """End the session."""
        session = self._screens.security.session(visit.request)
        if session is not None:
            self._screens.security.sessions.end(session)
        response = visit.redirect("/login")
        response.headers.append(
            "set-cookie", set_cookie(visit.request.scope, SESSION_COOKIE, "", max_age=0)
        )
        return response

    def _form(
        self, visit: Visit, status: int = 200, *, problem: str | None = None, wait: str = ""
    ) -> Response:
        reading = visit.request.method in READING
        asked = visit.query.get("next", "") if reading else visit.field("next")
        return visit.render(
            "login.html",
            status,
            by_token=self._screens.security.token is not None,
            token=visit.query.get("token", ""),
            next=asked,
            problem=problem,
            wait=wait,
        )


def prefer(visit: Visit) -> Response:
    """Keep theme and language in cookies."""
    response = RedirectResponse(visit.safe_next(visit.field("next")) or visit.url("/"), 303)
    for cookie, value, known in (
        (THEME_COOKIE, visit.field("theme"), THEMES),
        (LOCALE_COOKIE, visit.field("locale"), tuple(LANGUAGES)),
    ):
        if value in known:
            line = set_cookie(visit.request.scope, cookie, value, max_age=_YEAR)
            response.headers.append("set-cookie", line)
    return response
