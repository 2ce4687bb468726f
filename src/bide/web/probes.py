"""What programs ask of the screens' server: whether it lives, whether it is ready, the metrics."""

from __future__ import annotations

import secrets
import threading
from functools import cached_property

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bide import clock
from bide.web.roles import Viewer
from bide.web.screens import Screens
from bide.workers.health import problems
from bide.workers.metrics import CONTENT_TYPE, Metrics, exposition

#: Seconds for which an answer stands, so that many who ask cost the database nothing.
STANDS = 1.0


class Probes:
    """Their routes; who may ask is decided here, not by the gate (see bide.web.security.PROBED)."""

    def __init__(self, screens: Screens) -> None:
        self._screens, self._app = screens, screens.app
        self._lock = threading.Lock()
        self._known: tuple[float, list[str]] | None = None

    def routes(self) -> list[Route]:
        """/health/live, /health/ready and /metrics."""
        return [
            Route("/health/live", self._live, methods=["GET"]),
            Route("/health/ready", self._ready, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
        ]

    async def _live(self, _: Request) -> Response:
        """The server answers; the database is not asked, since a restart would not mend it."""
        return JSONResponse({"live": True, "reasons": []})

    async def _ready(self, _: Request) -> Response:
        reasons = await run_in_threadpool(self._reasons)
        return JSONResponse({"ready": not reasons, "reasons": reasons}, 503 if reasons else 200)

    def _reasons(self) -> list[str]:
        with self._lock:
            if self._known is None or clock.monotonic() - self._known[0] > STANDS:
                found = problems(self._app.store, self._app.settings)
                self._known = (clock.monotonic(), found)
            return self._known[1]

    async def _metrics(self, request: Request) -> Response:
        if not self._has_token(request):
            viewer = await self._screens.security.identify(request)
            if not isinstance(viewer, Viewer) or not viewer.may("jobs.view"):
                return PlainTextResponse(
                    "Send the metrics_token of the settings (Authorization: Bearer ...).\n",
                    401,
                    {"www-authenticate": "Bearer"},
                )
        text = await run_in_threadpool(self._exposition)
        return Response(text, media_type=CONTENT_TYPE)

    def _has_token(self, request: Request) -> bool:
        wanted = self._app.settings.metrics_token
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        fits = secrets.compare_digest(word.strip().encode(), wanted.encode())
        return bool(wanted) and scheme.lower() == "bearer" and fits

    def _exposition(self) -> str:
        return exposition(self._known_metrics.families(clock.utc_now()))

    @cached_property
    def _known_metrics(self) -> Metrics:
        """Made at the first scrape: screens open nothing."""
        return Metrics(self._app.store, self._app.settings, self._app.database)
