"""The screens behind the project's own login: `path("bide/", include("bide.contrib.django.urls"))`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt

from bide.contrib.django.application import project_app
from bide.contrib.django.roles import roles_of
from bide.web.app import create_wsgi_app
from bide.web.roles import Viewer

#: Where the user of the request stands for the screens.
_VIEWER = "bide.viewer"


@csrf_exempt  # the screens have a token of their own, and refuse what other sites send
def screens(request: HttpRequest, path: str = "") -> HttpResponse:
    """Every page of the screens. Who is not logged in is sent to the project's login."""
    user: Any = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    roles = roles_of(user)
    if not roles:
        return HttpResponseForbidden(
            "You are logged in, and have none of the permissions for these pages.",
            content_type="text/plain",
        )
    environ = _environ(request, path)
    environ[_VIEWER] = Viewer(user.get_username(), roles)
    return _answer(_application(), environ)


@cache
def _application() -> Callable[..., Any]:
    return create_wsgi_app(project_app(), auth=_known)


def _known(request: Any) -> Viewer | None:
    found: Viewer | None = request.scope["wsgi_environ"].get(_VIEWER)
    return found


def _environ(request: HttpRequest, path: str) -> dict[str, Any]:
    """The request as WSGI passes it; below the place where the screens are mounted."""
    body = request.body
    environ: dict[str, Any] = {
        name: value for name, value in request.META.items() if isinstance(value, str)
    }
    below = f"/{path}"
    whole = request.path
    environ |= {
        "REQUEST_METHOD": request.method or "GET",
        "SCRIPT_NAME": whole[: len(whole) - len(below)] if whole.endswith(below) else "",
        "PATH_INFO": below,
        "QUERY_STRING": request.META.get("QUERY_STRING", ""),
        "SERVER_NAME": request.get_host().rpartition(":")[0] or request.get_host(),
        "SERVER_PORT": request.get_port(),
        "SERVER_PROTOCOL": request.META.get("SERVER_PROTOCOL", "HTTP/1.1"),
        "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": request.META.get("CONTENT_TYPE", ""),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme or "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    return environ


class _Answer(HttpResponse):
    """An answer of the screens; `url` is where a redirect leads, as Django's own have it."""

    @property
    def url(self) -> str:
        """The Location."""
        return str(self["Location"])


def _answer(application: Callable[..., Any], environ: dict[str, Any]) -> HttpResponse:
    told: list[Any] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None) -> None:
        told[:] = [int(status.split(maxsplit=1)[0]), headers]

    body = application(environ, start)
    try:
        content = b"".join(body)
    finally:
        if callable(close := getattr(body, "close", None)):
            close()
    status, headers = told
    answer = _Answer(content, status=status)
    del answer["Content-Type"]
    for name, value in headers:
        if name.lower() == "set-cookie":
            answer.cookies.load(value)
        elif name.lower() != "content-length":
            answer[name] = value
    return answer
