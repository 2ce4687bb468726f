"""The gate in front of every screen: closed by default, and nothing leaves it without its headers."""

from __future__ import annotations

import inspect
import secrets
import sys
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bide.web.roles import Viewer
from bide.web.sessions import Session, Sessions
from bide.web.users import Users

#: Called with the request: who it is, None for nobody, or an answer of its own (a redirect to a login).
Known = Viewer | Response | None
Auth = Callable[[Request], Known | Awaitable[Known]]

SESSION_COOKIE: Final = "bide_session"
CSRF_COOKIE: Final = "bide_csrf"
#: Paths that need no viewer.
OPEN: Final = ("/login", "/static/")
#: Paths of programs, which ask whom they let in themselves (bide.web.probes).
PROBED: Final = ("/health/live", "/health/ready", "/metrics")
READING: Final = ("GET", "HEAD")

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # `no-referrer` would make browsers send `Origin: null`, which the gate refuses.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Token:
    """A word that opens the screens once; then `announce` is called with the next one."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._renew()

    def _renew(self) -> None:
        self.word = secrets.token_urlsafe(24)
        self._announce(self.word)

    def use(self, word: str) -> bool:
        """Whether it is the word; from then on it is another."""
        if not secrets.compare_digest(word.encode(), self.word.encode()):
            return False
        self._renew()
        return True


def printed(word: str) -> None:
    """Tell the token to whoever started this process."""
    sys.stderr.write(f"bide: to open the screens, log in with the one-time token {word}\n")


class Security:
    """Says who is asking: by the application's own hook, a list of users, or a one-time token.

    With a token only this machine may ask: requests from other addresses, through a proxy, or for
    another host name are refused.
    """

    def __init__(
        self,
        auth: Auth | None,
        users: Users | None,
        announce: Callable[[str], None] = printed,
    ) -> None:
        self.auth, self.users = auth, users
        self.sessions = Sessions() if users is None else users.sessions
        self.token = Token(announce) if auth is None and users is None else None

    async def identify(self, request: Request) -> Known:
        """Who is asking; a Response is the hook's own answer, None nobody."""
        if self.auth is None:
            session = self.session(request)
            return None if session is None else self._viewer(session)
        if inspect.iscoroutinefunction(self.auth):
            found = await self.auth(request)
        else:
            found = await run_in_threadpool(self.auth, request)
            if inspect.isawaitable(found):
                found = await found
        return found if isinstance(found, Viewer | Response) else None

    def session(self, connection: HTTPConnection) -> Session | None:
        """The session of its cookie, if it goes on."""
        return self.sessions.read(connection.cookies.get(SESSION_COOKIE))

    def _viewer(self, session: Session) -> Viewer | None:
        if self.users is None:
            return Viewer(session.name) if session.mark == "token" else None
        user = self.users.get(session.name)
        return user.viewer if user is not None and user.mark == session.mark else None

    def refusal(self, connection: HTTPConnection) -> str | None:
        """Why this address may not even try; None when it may."""
        if self.token is None or _is_here(connection):
            return None
        return (
            "These screens are open to this machine only, because they were given neither users nor "
            "an authentication hook. See the documentation: mounting and security."
        )


def _is_here(connection: HTTPConnection) -> bool:
    """Whether the request comes from this machine, straight, and knows it by a name of its own: a page
    elsewhere whose name resolves to 127.0.0.1 does not."""
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(connection.headers.keys())
    try:
        host = urlsplit(f"//{connection.headers.get('host', '')}").hostname or ""
    except ValueError:  # no address at all, e.g. "[::1"
        return False
    return not forwarded and is_loopback(client_address(connection)) and is_loopback(host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return host == "localhost" or ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def client_address(connection: HTTPConnection) -> str:
    """The address that asks; empty when the server does not tell."""
    if connection.client is not None:
        return connection.client.host
    return str(connection.scope.get("wsgi_environ", {}).get("REMOTE_ADDR", ""))


def path_of(scope: Scope) -> str:
    """The path below the place where the screens are mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    below = path.removeprefix(root) if path == root or path.startswith(f"{root}/") else path
    return below or "/"


def is_cross_site(connection: HTTPConnection) -> bool:
    """Whether a browser sends this from a page that is not ours."""
    site = connection.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = connection.headers.get("origin")
    try:
        return origin is not None and urlsplit(origin).netloc != connection.headers.get("host")
    except ValueError:
        return True


class Gate:
    """ASGI: refuses whom it must, notes who asks, and sets the headers of every answer.

    The viewer (or None, on the open paths) stands in `scope["state"]["viewer"]`, the token that
    forms must repeat in `scope["state"]["csrf"]`.
    """

    def __init__(
        self, app: ASGIApp, security: Security, login: Callable[[Request], Response]
    ) -> None:
        self._app, self._security, self._login = app, security, login

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        csrf = request.cookies.get(CSRF_COOKIE, "")
        fresh = not 20 <= len(csrf) <= 100
        # Some servers give the requests of one connection, which a proxy may share, one state.
        state = scope["state"] = {**scope.get("state", {})}
        state["csrf"] = secrets.token_urlsafe(24) if fresh else csrf
        answer = self._refused(request) or await self._unknown(request)
        with_headers = _headed(send, scope, state["csrf"] if fresh else None)
        await (answer or self._app)(scope, receive, with_headers)

    def _refused(self, request: Request) -> Response | None:
        if request.method not in (*READING, "POST"):
            return PlainTextResponse("Method not allowed", 405, {"allow": "GET, HEAD, POST"})
        if request.method == "POST" and is_cross_site(request):
            return PlainTextResponse("Refused: this was sent by a page of another site.", 403)
        reason = self._security.refusal(request)
        return None if reason is None else PlainTextResponse(reason, 403)

    async def _unknown(self, request: Request) -> Response | None:
        path = path_of(request.scope)
        state: dict[str, Any] = request.scope["state"]
        state["viewer"] = None
        if path.startswith("/static/") or path in PROBED:
            return None
        found = await self._security.identify(request)
        if isinstance(found, Viewer):
            state["viewer"] = found
        elif isinstance(found, Response):
            return found
        elif not path.startswith(OPEN):
            return self._login(request)
        return None


def _headed(send: Send, scope: Scope, csrf: str | None) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name for name, _ in message["headers"]}
            headers = {"cache-control": "no-store", **HEADERS}
            message["headers"] = [
                *message["headers"],
                *(
                    (name.encode(), value.encode())
                    for name, value in headers.items()
                    if name.encode() not in known
                ),
            ]
            if csrf is not None and not path_of(scope).startswith("/static/"):
                cookie = set_cookie(scope, CSRF_COOKIE, csrf)
                message["headers"].append((b"set-cookie", cookie.encode()))
        await send(message)

    return with_headers


def set_cookie(
    scope: Scope, name: str, value: str, *, max_age: int | None = None, hidden: bool = True
) -> str:
    """A cookie for the place where the screens are mounted; `hidden` from scripts."""
    response = Response()
    response.set_cookie(
        name,
        value,
        max_age=max_age,
        path=str(scope.get("root_path", "")).rstrip("/") or "/",
        secure=scope.get("scheme") == "https",
        httponly=hidden,
        samesite="lax",
    )
    return response.headers["set-cookie"]
