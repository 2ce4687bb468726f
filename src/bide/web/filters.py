"""Which jobs a list shows: everything that can be chosen stands in the address."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from bide import clock
from bide.jobs.job import Filter, State
from bide.web.times import from_form

#: Lists by state, in the order of the tabs; "" is all of them.
STATES: Final = ("", "failed", "running", "ready", "scheduled", "succeeded", "cancelled")
#: Fields of the address that are taken as they are.
_TEXTS: Final = ("name", "queue", "worker", "locale", "error", "q")
_MOST_IDS: Final = 1000
_LONGEST: Final = 1000
_AGES: Final = {"m": 60, "h": 3600, "d": 86400}


class Fields(dict[str, str]):
    """Fields of the address; one that was not given is empty."""

    def __missing__(self, name: str) -> str:
        return ""


class Chosen(NamedTuple):
    """What was chosen, as the address says it, and the Filter that it means.

    `problems` names fields that hold what they cannot.
    """

    fields: Fields
    which: Filter
    problems: list[str]

    @property
    def state(self) -> str:
        """The list: a state, or all."""
        return self.fields.get("state", "")

    @property
    def is_narrow(self) -> bool:
        """Whether more was chosen than a list."""
        return any(name not in ("state", "by") for name in self.fields)


def chosen(given: Mapping[str, str], zone: tzinfo, ids: tuple[int, ...] | None = None) -> Chosen:
    """What an address, or a form, chooses. Times are in the viewer's zone."""
    fields = Fields(
        (name, given[name][:_LONGEST].replace("\0", ""))
        for name in ("state", *_TEXTS, "since", "until")
        if given.get(name)
    )
    if fields.get("state") not in STATES:
        fields.pop("state", None)
    problems: list[str] = []
    moments = {name: _moment(fields, name, zone, problems) for name in ("since", "until")}
    found = {name: fields.get(name) for name in _TEXTS}
    which = Filter(
        ids=None if ids is None else ids[:_MOST_IDS],
        states=(State[fields["state"].upper()],) if "state" in fields else None,
        queue=found["queue"],
        name=found["name"],
        worker=found["worker"],
        locale=found["locale"],
        error=found["error"],
        text=found["q"],
        created_after=moments["since"],
        created_before=moments["until"],
    )
    return Chosen(fields, which, problems)


def _moment(
    fields: dict[str, str], name: str, zone: tzinfo, problems: list[str]
) -> datetime | None:
    text = fields.get(name, "")
    if not text:
        return None
    ago = re.fullmatch(r"(\d{1,5})([mhd])", text)
    try:
        if ago:
            return clock.utc_now() - timedelta(seconds=int(ago[1]) * _AGES[ago[2]])
        return from_form(text, zone).astimezone(UTC)
    except (ValueError, OverflowError):
        problems.append(name)
        return None


def ids_of(texts: list[Any]) -> tuple[int, ...]:
    """Ids from a form, whatever else stands there."""
    numbers = (int(text) for text in texts if str(text).isdecimal() and len(str(text)) < 19)
    return tuple(dict.fromkeys(numbers))
