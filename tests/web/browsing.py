"""Clients of the screens for tests: like a browser, without one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from starlette.testclient import TestClient

from bide import App
from bide.web import Viewer, create_app

HERE = ("127.0.0.1", 5000)


def client_of(screens: Any, base_url: str = "http://127.0.0.1:8790", **options: Any) -> TestClient:
    """A client of an ASGI application on this machine."""
    options.setdefault("client", HERE)
    return TestClient(screens, base_url=base_url, follow_redirects=False, **options)


def viewed(app: App, roles: Iterable[str] = ("everything",), **options: Any) -> TestClient:
    """A client that the application's own hook knows as ada."""
    viewer = Viewer("ada", roles)
    return client_of(create_app(app, auth=lambda request: viewer, **options))


def post(client: TestClient, path: str, data: dict[str, Any] | None = None, **options: Any) -> Any:
    """Send a form as a browser would, with the token that pages hold."""
    if "bide_csrf" not in client.cookies:
        client.get("/login")
    token = client.cookies["bide_csrf"]
    return client.post(path, data={"csrf": token, **(data or {})}, **options)


def token_in(html: str) -> str:
    """The token that the forms of a page repeat."""
    found = re.search(r'name="csrf" value="([^"]+)"', html)
    assert found
    return found[1]
