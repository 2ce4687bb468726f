"""The screens as one ASGI application, to mount anywhere; and as one for WSGI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from bide.errors import BideError, DatabaseError, NotMigrated, SettingsError
from bide.forks.owned import Owned
from bide.web.login import Login
from bide.web.probes import Probes
from bide.web.rendering import STATIC
from bide.web.routes import get
from bide.web.screens import REDACTED, Screens
from bide.web.sections import Section
from bide.web.security import Auth, Gate, Security, printed
from bide.web.users import Users
from bide.web.visit import Visit

if TYPE_CHECKING:
    from bide.app import App

#: Modules of bide.web.pages, in the order of the navigation. Each has `section(screens)`, which returns
#: a Section, or None where it has nothing to show.
PAGES: Final[tuple[str, ...]] = ("overview", "jobs", "queues", "workers", "texts", "audit")

#: Words for refusals that have any: bide.problems.<name>.
_REASONS: Final = ("csrf", "role", "too_large", "too_many_streams")


def create_app(
    app: App,
    *,
    auth: Auth | None = None,
    users: Users | None = None,
    redact: Sequence[str] = REDACTED,
    live: Literal["stream", "poll"] = "stream",
    announce: Callable[[str], None] = printed,
) -> Starlette:
    """The screens of `app` as an ASGI application; mount it under any path. Opens nothing.

    `auth`: called with each request (starlette.requests.Request), sync or async; returns a Viewer, None
    for nobody, or a response such as a redirect to the application's own login.
    `users`: people with passwords, who log in here.
    Without either, the screens are open to this machine only, with a one-time token given to `announce`.
    `redact`: what names of arguments contain that must not be shown. Raises SettingsError.
    """
    if auth is not None and users is not None:
        raise SettingsError("the screens take an authentication hook or a list of users, not both")
    if isinstance(redact, str):
        raise SettingsError(f'redact is a list of names, e.g. ["{redact}"]')
    security = Security(auth, users, announce)
    screens = Screens(app, security, live=live, redact=redact)
    login = Login(screens)
    screens.sections = _sections(screens)
    return Starlette(
        routes=[
            Mount("/static", _Static(directory=STATIC)),
            *login.routes(),
            *Probes(screens).routes(),
            *(route for one in screens.sections for route in one.routes),
            get(screens, "/", _home, role=None),
        ],
        middleware=[Middleware(Gate, security=security, login=login.asked)],
        exception_handlers=_Problems(screens).handlers(),
    )


def create_wsgi_app(app: App, **options: Any) -> Callable[..., Any]:
    """The same for WSGI servers and frameworks (Flask, Django); options as for `create_app`.

    Each process makes its own event loop at its first request, so a server may fork after this.
    """
    from a2wsgi import ASGIMiddleware

    inner = create_app(app, live="poll", **options)
    adapter = Owned(lambda: ASGIMiddleware(inner))

    def wsgi(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return adapter.get()(environ, start_response)

    return wsgi


def _sections(screens: Screens) -> list[Section]:
    made = (import_module(f"bide.web.pages.{name}").section(screens) for name in PAGES)
    return [section for section in made if section is not None]


def _home(visit: Visit) -> Response:
    """The first section that the viewer may see."""
    seen = [one for one in visit.screens.sections if visit.may(one.role)]
    if not seen:
        raise HTTPException(403, "role")
    return visit.redirect(seen[0].path)


class _Static(StaticFiles):
    """Files that browsers keep: their addresses change with their contents."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, *rest: Any) -> Response:
        response = super().file_response(full_path, stat_result, scope, *rest)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


class _Problems:
    """Pages for what goes wrong."""

    def __init__(self, screens: Screens) -> None:
        self._screens = screens

    def handlers(self) -> dict[Any, Any]:
        """Which problem is answered by which page."""
        return {
            HTTPException: self._refused,
            DatabaseError: self._database,
            BideError: self._ours,
            Exception: self._unexpected,
        }

    def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        named = {404: "not_found", 405: "method"}.get(error.status_code, error.detail)
        known = named in (*_REASONS, "not_found", "method")
        return self._page(request, named if known else "other", error.status_code)

    def _database(self, request: Request, error: Exception) -> Response:
        kind = "not_migrated" if isinstance(error, NotMigrated) else "database"
        return self._page(request, kind, 503, str(error))

    def _ours(self, request: Request, error: Exception) -> Response:
        return self._page(request, "other", 400, str(error))

    def _unexpected(self, request: Request, error: Exception) -> Response:
        return self._page(request, "unexpected", 500)

    def _page(self, request: Request, reason: str, status: int, told: str = "") -> Response:
        if "csrf" not in request.scope.get("state", {}):
            return PlainTextResponse(
                "Something went wrong; the log of the server says what.", status
            )
        visit = Visit(self._screens, request)
        return visit.render("refused.html", status, reason=reason, told=told)
