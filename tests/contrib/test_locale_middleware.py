"""The reader's language for each request."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from bide.contrib.locale_middleware import (
    Choosing,
    LocaleMiddleware,
    Request,
    WSGILocaleMiddleware,
    accepted,
    chosen,
)
from bide.i18n import I18n, Simple, time_zone


@pytest.fixture
def i18n() -> I18n:
    i18n = I18n(Simple())
    for locale, word in (("en", "Hello"), ("de", "Hallo"), ("pt-BR", "Olá"), ("zh-Hant", "你好")):
        i18n.store(locale, {"hello": word})
    return i18n


def asked(path: str = "/", cookie: str = "", language: str = "") -> Request:
    cookies = {"locale": cookie} if cookie else {}
    return Request(path, {"accept-language": language}, cookies)


@pytest.mark.parametrize(
    ("request_", "locale"),
    [
        (asked(), "en"),
        (asked("/de/orders"), "de"),
        (asked("/DE"), "de"),
        (asked("/dear"), "en"),
        (asked("de/x"), "en"),
        (asked("//de"), "en"),
        (asked("/de", cookie="pt-BR", language="zh-Hant"), "de"),
        (asked(cookie="pt-BR", language="de"), "pt-BR"),
        (asked(cookie="xx", language="de"), "de"),
        (asked(cookie="de_AT"), "de"),
        (asked(language="de-AT,en;q=0.8"), "de"),
        (asked(language="en;q=0.2, de;q=0.9"), "de"),
        (asked(language="fr, de;q=0"), "en"),
        (asked(language="pt"), "pt-BR"),
        (asked(language="zh-Hant-TW"), "zh-Hant"),
        (asked(language="*"), "en"),
        (asked(language="de;q=x, \x00, ;;;, pt-BR;q=0.1"), "pt-BR"),
        (asked(language="x" * 100_000 + ",de"), "en"),
        (asked(cookie="../../etc/passwd"), "en"),
    ],
)
def test_the_path_comes_before_the_cookie_before_the_header(
    i18n: I18n, request_: Request, locale: str
) -> None:
    assert chosen(i18n, Choosing(), request_).locale == locale


def test_each_way_can_be_left_out(i18n: I18n) -> None:
    everything = asked("/de", cookie="pt-BR", language="zh-Hant")
    assert chosen(i18n, Choosing(path=False), everything).locale == "pt-BR"
    assert chosen(i18n, Choosing(path=False, cookie=None), everything).locale == "zh-Hant"
    nothing = Choosing(path=False, cookie=None, accept_language=False)
    assert chosen(i18n, nothing, everything).locale == "en"
    assert chosen(i18n, nothing, everything).vary == ""


def test_the_application_has_the_first_word(i18n: I18n) -> None:
    def choose(request: Request) -> str | bool | None:
        return {"/api": False, "/mine": "pt-BR", "/odd": "xx"}.get(request.path)

    choosing = Choosing(choose=choose)
    assert chosen(i18n, choosing, asked("/api", cookie="de")).locale is None
    assert chosen(i18n, choosing, asked("/mine", cookie="de")).locale == "pt-BR"
    assert chosen(i18n, choosing, asked("/odd", cookie="de")).locale == "de"
    assert chosen(i18n, choosing, asked("/", cookie="de")).locale == "de"


def test_equal_languages_keep_their_order() -> None:
    assert accepted("b, a;q=1.0, c;q=0.5, d") == ["b", "a", "d", "c"]


async def answer(
    application: Any, path: str = "/", kind: str = "http", **headers: str
) -> dict[str, Any]:
    scope = {
        "type": kind, "path": path, "root_path": "",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, None, send)
    return {**sent[0], "body": b"".join(each.get("body", b"") for each in sent[1:])}


def speaking(i18n: I18n) -> Any:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        started = {"websocket": "websocket.accept"}.get(scope["type"], "http.response.start")
        await send({"type": started, "status": 200, "headers": [(b"x", b"y")]})
        word = await asyncio.to_thread(i18n.t, "hello")
        told = f"{i18n.t('hello')} {word} {scope['root_path']} {time_zone()}"
        await send({"type": "http.response.body", "body": told.encode()})

    return application


async def test_an_asgi_application_speaks_to_each_reader(i18n: I18n) -> None:
    application = LocaleMiddleware(speaking(i18n), i18n, strip=True, time_zone_cookie="zone")
    first, second = await asyncio.gather(
        answer(application, "/de/x", cookie="zone=Europe/Berlin"),
        answer(application, accept_language="pt", cookie="zone=Nowhere"),
    )
    assert first["body"].decode() == "Hallo Hallo /de Europe/Berlin"
    assert (b"content-language", b"de") in first["headers"]
    assert second["body"].decode() == "Olá Olá  None"
    assert (b"vary", b"Cookie, Accept-Language") in second["headers"]
    assert i18n.locale == "en"


async def test_websockets_and_lifespans_pass(i18n: I18n) -> None:
    application = LocaleMiddleware(speaking(i18n), i18n)
    assert (await answer(application, "/de", "websocket"))["headers"] == [(b"x", b"y")]
    assert (await answer(application, "/de", "lifespan"))["body"] == b"Hello Hello  None"
    alone = LocaleMiddleware(speaking(i18n), i18n, choose=lambda request: False)
    assert (await answer(alone, "/de"))["headers"] == [(b"x", b"y")]


def wsgi(application: Any, **environ: str) -> tuple[list[tuple[str, str]], str]:
    told: list[tuple[str, str]] = []

    def start_response(status: str, headers: list[tuple[str, str]], *rest: Any) -> None:
        told.extend(headers)

    body = application({"PATH_INFO": "/", **environ}, start_response)
    try:
        return told, b"".join(body).decode()
    finally:
        if hasattr(body, "close"):
            body.close()


def test_a_wsgi_application_speaks_while_its_answer_is_read(i18n: I18n) -> None:
    closed: list[str] = []

    class Page:
        def __iter__(self) -> Iterator[bytes]:
            yield i18n.t("hello").encode()
            i18n.store("de", {"hello": "changed"})
            yield i18n.t("hello").encode()

        def close(self) -> None:
            closed.append(i18n.locale)

    def application(environ: dict[str, str], start_response: Any) -> Iterable[bytes]:
        start_response(
            "200 OK", [("Content-Language", "x")] if environ["PATH_INFO"] == "/own" else []
        )
        yield from [f"{environ.get('SCRIPT_NAME')}{environ['PATH_INFO']} ".encode()]
        yield from Page()

    def closing(environ: dict[str, str], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Page()

    site = WSGILocaleMiddleware(application, i18n, strip=True)
    headers, body = wsgi(site, PATH_INFO="/de/x")
    assert body == "/de/x HalloHallo"
    assert headers == [("content-language", "de")]
    headers, _ = wsgi(site, PATH_INFO="/own")
    assert headers == [("Content-Language", "x"), ("vary", "Cookie, Accept-Language")]
    wsgi(
        WSGILocaleMiddleware(closing, i18n),
        HTTP_COOKIE="locale=de; broken=\x00",
        HTTP_ACCEPT_LANGUAGE="pt",
    )
    assert closed == ["de"]
    assert i18n.locale == "en"
    assert i18n.t("hello", locale="de") == "changed"


def test_an_application_that_fails_leaves_no_language_behind(i18n: I18n) -> None:
    def application(environ: dict[str, str], start_response: Any) -> Iterable[bytes]:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        wsgi(WSGILocaleMiddleware(application, i18n), PATH_INFO="/de")
    assert i18n.locale == "en"
    i18n.store("en", {"hello": "no longer pinned"})
    assert i18n.t("hello") == "no longer pinned"
