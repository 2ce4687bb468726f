"""One request of one viewer, as the pages see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import FormData, QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bide import clock
from bide.jobs.audit import AuditEntry
from bide.jobs.job import JobRow, State
from bide.jobs.surveys import MOST
from bide.web.roles import Viewer
from bide.web.screens import Screens
from bide.web.security import path_of
from bide.web.times import clock_time, rounded, zone_named
from bide.web.words import LANGUAGES, direction_of, wanted_language

LOCALE_COOKIE: Final = "bide_locale"
ZONE_COOKIE: Final = "bide_zone"
THEME_COOKIE: Final = "bide_theme"
THEMES: Final = ("auto", "light", "dark")


class Visit:
    """What a page is called with: who asks, in which language and zone, and how to answer."""

    def __init__(self, screens: Screens, request: Request, form: FormData | None = None) -> None:
        self.screens = screens
        self.request = request
        self._form = form
        #: Whether only the block `live` of the page is asked for.
        self.live = False

    @property
    def app(self) -> Any:
        """The bide.App whose screens these are."""
        return self.screens.app

    @property
    def viewer(self) -> Viewer | None:
        """Who asks; None on the login page only."""
        found: Viewer | None = self.request.scope["state"]["viewer"]
        return found

    @property
    def name(self) -> str:
        """The viewer's name, for the audit list."""
        return "" if self.viewer is None else self.viewer.name

    def may(self, role: str, locale: str | None = None) -> bool:
        """Whether the viewer has the role."""
        return self.viewer is not None and self.viewer.may(role, locale)

    def audit(self, action: str, what: str, **detail: Any) -> None:
        """Write what the viewer did into the audit list."""
        entry = AuditEntry(clock.utc_now(), self.name, action, what, detail)
        self.app.store.audit.write([entry])
        self.screens.watch.forget()

    @property
    def query(self) -> QueryParams:
        """What stands behind the ? of the address."""
        return self.request.query_params

    @property
    def form(self) -> FormData:
        """The fields of a POST."""
        return FormData() if self._form is None else self._form

    def field(self, name: str, default: str = "") -> str:
        """A text field of a POST, without the NUL that no database takes."""
        value = self.form.get(name, default)
        return value.replace("\0", "") if isinstance(value, str) else default

    def part(self, name: str) -> Any:
        """A part of the path."""
        return self.request.path_params[name]

    @property
    def path(self) -> str:
        """The path below the place where the screens are mounted."""
        return path_of(self.request.scope)

    def url(self, path: str, query: Mapping[str, Any] | None = None, **more: Any) -> str:
        """The address of a page: `visit.url("/jobs", queue="mail")`; None leaves a parameter out."""
        root = str(self.request.scope.get("root_path", "")).rstrip("/")
        asked = [(k, v) for k, v in {**(query or {}), **more}.items() if v not in (None, "")]
        return quote(root + path, safe="/~@:+,;=!$&'()*") + (
            f"?{urlencode(asked)}" if asked else ""
        )

    @property
    def here(self) -> str:
        """The address of this page, to come back to."""
        if self.request.method != "GET":
            return ""
        asked = [
            (name, value)
            for name, value in self.query.multi_items()
            if name not in ("live", "notice") and not name.startswith("n.")
        ]
        return self.url(self.path) + (f"?{urlencode(asked)}" if asked else "")

    @property
    def csrf(self) -> str:
        """What every form must hold as `csrf`."""
        return str(self.request.scope["state"]["csrf"])

    # Words, numbers and times

    @cached_property
    def locale(self) -> str:
        """The language of the screens for this viewer."""
        headers = self.request.headers
        return wanted_language(
            self.request.cookies.get(LOCALE_COOKIE), headers.get("accept-language")
        )

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return direction_of(self.locale)

    @property
    def theme(self) -> str:
        """`auto`, `light` or `dark`."""
        chosen = self.request.cookies.get(THEME_COOKIE, "")
        return chosen if chosen in THEMES else "auto"

    @cached_property
    def zone(self) -> tzinfo:
        """The viewer's time zone; UTC until the browser has told it."""
        return zone_named(self.request.cookies.get(ZONE_COOKIE))

    @property
    def zone_name(self) -> str:
        """The name of the zone."""
        return getattr(self.zone, "key", "UTC")

    def t(self, key: str, /, **values: Any) -> str:
        """A word of the screens: `visit.t("jobs.retry")` is the text `bide.jobs.retry`."""
        return str(self.screens.words.t(f"bide.{key}", locale=self.locale, **values))

    def number(self, value: float) -> str:
        """A number with the separators of the language."""
        return self.screens.words.number(value, locale=self.locale)

    def upto(self, value: int) -> str:
        """A count that may have stopped: `10,000+`."""
        return f"{self.number(MOST)}+" if value >= MOST else self.number(value)

    def duration(self, seconds: float | None) -> str:
        """`3 min`; nothing for None."""
        if seconds is None:
            return ""
        value, unit = rounded(seconds)
        return self.t(f"units.{unit}", count=self.number(value))

    def ago(self, moment: datetime | None) -> str:
        """`3 min ago`, `in 2 h`; nothing for None."""
        if moment is None:
            return ""
        seconds = (clock.utc_now() - moment).total_seconds()
        if abs(seconds) < 1:
            return self.t("times.now")
        return self.t("times.ago" if seconds > 0 else "times.ahead", span=self.duration(seconds))

    def time(self, moment: datetime | None) -> str:
        """The moment in the viewer's zone; nothing for None."""
        return "" if moment is None else clock_time(moment, self.zone)

    @staticmethod
    def state(row: JobRow) -> str:
        """The name of a job's state, as the address and the texts have it."""
        return State(row.state).name.lower()

    @staticmethod
    def moment(row: JobRow) -> datetime:
        """The moment that matters in a job's state: its start, its end, or when it is due."""
        found = row.locked_at if row.state == State.RUNNING else row.finished_at
        waits = row.state in (State.READY, State.SCHEDULED)
        return row.run_at if waits or found is None else found

    # Answers

    def render(self, template: str, status: int = 200, /, **context: Any) -> Response:
        """A page; in a live visit its block `live` alone."""
        html = self.screens.pages.render(template, self._common() | context)
        return HTMLResponse(html, status)

    def _common(self) -> dict[str, Any]:
        screens = self.screens
        return {
            "visit": self,
            "t": self.t,
            "url": self.url,
            "may": self.may,
            "ago": self.ago,
            "time": self.time,
            "duration": self.duration,
            "number": self.number,
            "upto": self.upto,
            "static": lambda name: self.url(f"/static/{name}", v=screens.pages.version),
            "sections": [one for one in screens.sections if self.may(one.role)],
            "section": self._section(),
            "languages": LANGUAGES,
            "is_live": False,
        }

    def _section(self) -> str:
        path = self.path
        fitting = [
            s for s in self.screens.sections if path == s.path or path.startswith(f"{s.path}/")
        ]
        return max(fitting, key=lambda one: len(one.path)).name if fitting else ""

    def redirect(self, path: str, query: Mapping[str, Any] | None = None, **more: Any) -> Response:
        """Go to another page of ours, after a POST."""
        return RedirectResponse(self.url(path, query, **more), 303)

    def back(self, otherwise: str, notice: Mapping[str, str] | None = None) -> Response:
        """Go back to the page of ours that the form named in `next`, else to `otherwise`, and let it
        say something."""
        address = self.safe_next(self.field("next")) or self.url(otherwise)
        path, _, asked = address.partition("?")
        kept = [pair for pair in parse_qsl(asked) if not pair[0].startswith(("notice", "n."))]
        query = urlencode([*kept, *(notice or {}).items()])
        return RedirectResponse(f"{path}?{query}" if query else path, 303)

    def safe_next(self, address: str) -> str | None:
        """The address if it is one of ours: an absolute path, and no other host's."""
        root = str(self.request.scope.get("root_path", "")).rstrip("/")
        ours = address.startswith(f"{root}/") and not address.startswith(("//", "/\\"))
        return address if ours and address.isprintable() and "\\" not in address else None

    def notice(self, key: str, /, **values: Any) -> dict[str, str]:
        """Query parameters that make the next page say something: `visit.redirect("/jobs",
        visit.notice("jobs.retried", count=3))`. Only texts of `bide.notices` can be said."""
        return {"notice": key, **{f"n.{name}": str(value) for name, value in values.items()}}

    @cached_property
    def said(self) -> str | None:
        """What the page before wanted this one to say."""
        key = self.query.get("notice", "")
        full = f"bide.notices.{key}"
        if not key.replace(".", "").replace("_", "").isalnum():
            return None
        values: dict[str, Any] = {
            name[2:]: value for name, value in self.query.items() if name.startswith("n.")
        }
        if not self.screens.words.exists(full, self.locale):
            return None
        try:
            if str(values.get("count", "")).isdecimal():
                values["count"] = int(values["count"][:15])
            return self.t(f"notices.{key}", **values)
        except (LookupError, ValueError):
            return None
