"""The audit list: who did what to which jobs, queues or texts, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

#: The most characters of who, action and what that are kept; the whole of a longer `what` stands in the detail.
LONGEST: Final = 255


class AuditEntry(NamedTuple):
    """One action. `who` is a user of the screens or user@host; `action` a verb such as jobs.retry;
    `what` the id of a job, a queue, a key of a text, or a filter; `detail` can be JSON."""

    at: datetime
    who: str
    action: str
    what: str
    detail: dict[str, Any]


class AuditRow(NamedTuple):
    """An entry as it is stored."""

    id: int
    at: datetime
    who: str
    action: str
    what: str
    detail: dict[str, Any]


def storable(entry: AuditEntry) -> AuditEntry:
    """An entry that every database can hold: nothing too long, no NUL, no lone surrogate."""
    detail = entry.detail
    if len(entry.what) > LONGEST:
        detail = {**detail, "what": entry.what}
    return entry._replace(
        who=_short(entry.who),
        action=_short(entry.action),
        what=_short(entry.what),
        detail=detail,
    )


def _short(text: str) -> str:
    text = text.replace("\0", "?").encode("utf-8", "replace").decode()
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
