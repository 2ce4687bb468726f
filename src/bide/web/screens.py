"""What all pages of one application share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from bide.web.glance import Watch
from bide.web.rendering import Pages
from bide.web.sections import Section
from bide.web.security import Security
from bide.web.values import Shown
from bide.web.words import words_of

if TYPE_CHECKING:
    from bide.app import App
    from bide.i18n.translator import I18n

#: What is never shown: arguments and fields whose names contain one of these.
REDACTED: Final = (
    "password", "passwd", "passphrase", "pwd", "secret", "token", "authorization", "api_key",
    "access_key", "private_key", "credential", "cookie",
)  # fmt: skip


@dataclass
class Screens:
    """The screens of one App. Pages get them as `visit.screens`.

    `live`: whether pages are kept fresh by a stream of events, or (behind WSGI, where a stream would
    hold a thread) by asking every few seconds, at most every `live_every` seconds. `redact`: names of
    arguments that are not shown.
    """

    app: App
    security: Security
    live: Literal["stream", "poll"] = "stream"
    redact: Sequence[str] = REDACTED
    live_every: float = 2.0
    sections: list[Section] = field(default_factory=list)
    pages: Pages = field(default_factory=Pages)

    @cached_property
    def watch(self) -> Watch:
        """What is going on, looked at for all pages together."""
        return Watch(lambda: self.app.store)

    @cached_property
    def shown(self) -> Shown:
        """How arguments and errors are shown."""
        return Shown(self.app.registry, self.redact)

    @cached_property
    def words(self) -> I18n:
        """The I18n of the screens' own words; made at the first page, when the App has its texts."""
        return words_of(self.app)
