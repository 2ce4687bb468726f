"""Signed cookies: who has logged in, and since when."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from typing import Any, Final, NamedTuple

from bide import clock

#: Seconds after which a session ends.
LIFETIME: Final = 12 * 3600.0
#: Ended sessions that are remembered until they would have ended by themselves.
_MOST: Final = 10_000


class Session(NamedTuple):
    """What the cookie says. `mark` must be the user's; `ends` is in seconds since 1970."""

    name: str
    mark: str
    id: str
    ends: float


class Sessions:
    """Makes and reads cookies that only who knows `secret` could have made.

    Without a secret each process makes its own, and sessions end with the process.
    """

    def __init__(self, secret: str | None = None, lifetime: float = LIFETIME) -> None:
        self._key = hashlib.sha256(
            b"bide.web.sessions\0" + (secret or secrets.token_hex()).encode()
        )
        self.lifetime = lifetime
        self._ended: dict[str, float] = {}

    def begin(self, name: str, mark: str) -> str:
        """The cookie of a new session."""
        ends = clock.utc_now().timestamp() + self.lifetime
        told = json.dumps([name, mark, secrets.token_urlsafe(12), ends]).encode()
        return f"{_text(told)}.{_text(self._signature(told))}"

    def read(self, cookie: str | None) -> Session | None:
        """The session of a cookie; None when it is not ours, or has ended."""
        try:
            told, _, signature = (cookie or "").partition(".")
            told_bytes = _bytes(told)
            if not hmac.compare_digest(self._signature(told_bytes), _bytes(signature)):
                return None
            session = Session(*_parts(json.loads(told_bytes)))
        except ValueError:
            return None
        over = session.ends <= clock.utc_now().timestamp() or session.id in self._ended
        return None if over else session

    def end(self, session: Session) -> None:
        """Let the session be no longer valid in this process."""
        now = clock.utc_now().timestamp()
        self._ended = {one: ends for one, ends in self._ended.items() if ends > now}
        if len(self._ended) < _MOST:
            self._ended[session.id] = session.ends

    def _signature(self, told: bytes) -> bytes:
        return hmac.new(self._key.digest(), told, hashlib.sha256).digest()


def _parts(told: Any) -> tuple[str, str, str, float]:
    name, mark, session_id, ends = told
    return str(name), str(mark), str(session_id), float(ends)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
