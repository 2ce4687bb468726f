"""The reader's language for each request, for any ASGI or WSGI application.

    application = LocaleMiddleware(application, i18n)         # ASGI
    application = WSGILocaleMiddleware(application, i18n)     # WSGI

The first of these that names a language the I18n has is taken: `choose`, the path (`/de/orders`), the cookie,
Accept-Language. Each can be left out; what none of them knows is spoken in the default locale.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import ExitStack
from contextvars import Context, copy_context
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final, NamedTuple

from bide.errors import TextError
from bide.i18n.locales import parents
from bide.i18n.translator import I18n
from bide.i18n.zones import with_time_zone

_RANGE: Final = re.compile(r"\s*([A-Za-z0-9-]{1,35}|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
_LONGEST: Final = 1000


class Request(NamedTuple):
    """What a language is chosen by. `headers` have lower-case names."""

    path: str
    headers: Mapping[str, str]
    cookies: Mapping[str, str]


@dataclass(frozen=True)
class Choosing:
    """How the language of a request is found.

    `path`: the first part of the path may name it. `cookie`, `time_zone_cookie`: the names of cookies, None
    for none. `accept_language`: ask that header. `choose(request)`: the application's own word, before all
    others: a locale, None for «ask on», or False to leave the request alone. `strip`: take the language
    off the path before the application sees it. `pin`: one state of the texts serves a whole request.
    """

    path: bool = True
    cookie: str | None = "locale"
    accept_language: bool = True
    choose: Callable[[Request], str | bool | None] | None = None
    time_zone_cookie: str | None = None
    strip: bool = False
    pin: bool = True


class Chosen(NamedTuple):
    """The language of a request (None: leave it alone), and the part of the path that names it."""

    locale: str | None
    prefix: str = ""
    vary: str = ""


def chosen(i18n: I18n, choosing: Choosing, request: Request) -> Chosen:
    """The language of a request."""
    known = {locale.lower(): locale for locale in i18n.available_locales}
    own = choosing.choose(request) if choosing.choose is not None else None
    if own is False:
        return Chosen(None)
    if isinstance(own, str) and (found := matched(own, known)):
        return Chosen(found)
    first = request.path.split("/", 2)[1:2]
    if choosing.path and first and (found := known.get(first[0].lower())):
        return Chosen(found, f"/{first[0]}")
    vary = []
    if choosing.cookie:
        vary.append("Cookie")
        if found := matched(request.cookies.get(choosing.cookie, ""), known):
            return Chosen(found, vary=", ".join(vary))
    if choosing.accept_language:
        vary.append("Accept-Language")
        for wanted in accepted(request.headers.get("accept-language", "")):
            if found := matched(wanted, known):
                return Chosen(found, vary=", ".join(vary))
    return Chosen(i18n.default_locale, vary=", ".join(vary))


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, the best first; nonsense is passed over."""
    found = []
    for part in header[:_LONGEST].split(","):
        match = _RANGE.fullmatch(part)
        if match and match[1] != "*" and (quality := float(match[2] or 1)) > 0:
            found.append((-quality, match[1]))
    return [language for _, language in sorted(found, key=lambda each: each[0])]


def matched(wanted: str, known: Mapping[str, str]) -> str | None:
    """The known locale that serves a wanted one: itself, its parent (de for de-AT), or a region of it
    (pt-BR for pt) where there is no other."""
    wanted = wanted[:_LONGEST].replace("_", "-").lower()
    if not wanted:
        return None
    for tag in parents(wanted):
        if tag in known:
            return known[tag]
    return next((known[tag] for tag in sorted(known) if tag.startswith(f"{wanted}-")), None)


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _speak(
    stack: ExitStack, i18n: I18n, choosing: Choosing, request: Request, found: Chosen
) -> None:
    stack.enter_context(i18n.with_locale(found.locale))
    if choosing.pin:
        stack.enter_context(i18n.pinned())
    zone = request.cookies.get(choosing.time_zone_cookie or "")
    if zone:
        try:
            stack.enter_context(with_time_zone(zone[:100]))
        except TextError:
            return


Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
ASGI = Callable[[Scope, Receive, Send], Awaitable[None]]


class LocaleMiddleware:
    """An ASGI application around another; the options are those of Choosing."""

    def __init__(self, asgi: ASGI, i18n: I18n, **options: Any) -> None:
        self._asgi, self._i18n, self._choosing = asgi, i18n, Choosing(**options)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Speak the reader's language while the application answers."""
        if scope["type"] not in ("http", "websocket"):
            await self._asgi(scope, receive, send)
            return
        request = _asgi_request(scope)
        found = chosen(self._i18n, self._choosing, request)
        if found.locale is None:
            await self._asgi(scope, receive, send)
            return
        if self._choosing.strip and found.prefix:
            scope = {**scope, "root_path": scope.get("root_path", "") + found.prefix}
        with ExitStack() as stack:
            # A websocket lives for hours: it hears of edits.
            one_answer = scope["type"] == "http"
            choosing = self._choosing if one_answer else Choosing(pin=False)
            _speak(stack, self._i18n, choosing, request, found)
            await self._asgi(scope, receive, _telling(send, found) if one_answer else send)


def _asgi_request(scope: Scope) -> Request:
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return Request(path, headers, _cookies(headers.get("cookie", "")))


def _telling(send: Send, found: Chosen) -> Send:
    async def told(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (n.decode("latin-1"), v.decode("latin-1")) for n, v in message.get("headers", ())
            ]
            told = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in _headers(headers, found)]
            message = {**message, "headers": told}
        await send(message)

    return told


def _headers(headers: Iterable[tuple[str, str]], found: Chosen) -> list[tuple[str, str]]:
    """With the language, unless the application names one, and what caches must look at."""
    kept = list(headers)
    if not any(name.lower() == "content-language" for name, _ in kept):
        kept.append(("content-language", str(found.locale)))
    if found.vary:
        kept.append(("vary", found.vary))
    return kept


StartResponse = Callable[..., Any]
WSGI = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class WSGILocaleMiddleware:
    """A WSGI application around another; the options are those of Choosing."""

    def __init__(self, wsgi: WSGI, i18n: I18n, **options: Any) -> None:
        self._wsgi, self._i18n, self._choosing = wsgi, i18n, Choosing(**options)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Speak the reader's language while the application answers, and while its answer is read."""
        request = _wsgi_request(environ)
        found = chosen(self._i18n, self._choosing, request)
        if found.locale is None:
            return self._wsgi(environ, start_response)
        if self._choosing.strip and found.prefix:
            environ = {
                **environ,
                "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + found.prefix,
                "PATH_INFO": environ["PATH_INFO"].removeprefix(found.prefix),
            }

        def started(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            return start_response(status, _headers(headers, found), *rest)

        context, stack = copy_context(), ExitStack()
        try:
            context.run(_speak, stack, self._i18n, self._choosing, request, found)
            body = context.run(self._wsgi, environ, started)
        except BaseException:
            context.run(stack.close)
            raise
        return _Body(body, context, stack)


class _Body:
    """An answer that is made while it is read, in the context of its request."""

    def __init__(self, body: Iterable[bytes], context: Context, stack: ExitStack) -> None:
        self._body, self._context, self._stack = body, context, stack
        self._pieces = context.run(iter, body)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._pieces)

    def close(self) -> None:
        """The server is done with the answer."""
        try:
            if (close := getattr(self._body, "close", None)) is not None:
                self._context.run(close)
        finally:
            self._context.run(self._stack.close)


def _wsgi_request(environ: Mapping[str, Any]) -> Request:
    headers = {
        name[5:].replace("_", "-").lower(): str(value)
        for name, value in environ.items()
        if name.startswith("HTTP_")
    }
    return Request(environ.get("PATH_INFO", ""), headers, _cookies(headers.get("cookie", "")))
