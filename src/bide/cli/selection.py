"""Options that choose jobs, the same for every command that lists or changes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from bide import clock
from bide.jobs.job import Filter, State

F = TypeVar("F", bound=Callable[..., Any])

STATES = [state.name.lower() for state in State]
#: Seconds of each unit that durations are written in.
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


#: No number of SQL is larger.
LARGEST = 2**63 - 1


class JobId(click.ParamType[int]):
    """The number of a job."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """A number that a database can hold."""
        try:
            number = int(value)
        except ValueError:
            number = LARGEST + 1
        if abs(number) > LARGEST:
            self.fail(f"{value!r} is no id of a job; see bide jobs list", param, ctx)
        return number


def span(text: str) -> timedelta | None:
    """90s, 15m, 6h, 2d; the longest there is for more than that, None for any other text."""
    given = re.fullmatch(r"(\d{1,18})([smhd])", text)
    if not given:
        return None
    seconds = int(given[1]) * UNITS[given[2]]
    return timedelta(seconds=min(seconds, timedelta.max.total_seconds() - 1))


class When(click.ParamType[datetime]):
    """A moment: ISO 8601, or how long ago (90s, 15m, 6h, 2d)."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """An aware moment; local time where the text names no zone."""
        if isinstance(value, datetime):
            return value
        ago = span(value)
        try:
            if ago is not None:
                return clock.utc_now() - ago
            return datetime.fromisoformat(value).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no moment; e.g. 2027-01-31T08:00, 90s, 15m, 6h or 2d", param, ctx
            )


def selecting(command: F) -> F:
    """Add the options of `Filter` to a command."""
    for option in reversed(
        [
            click.argument("ids", nargs=-1, type=JobId(), metavar="[ID]..."),
            click.option("--state", "states", multiple=True, type=click.Choice(STATES)),
            click.option("--queue", help="Only this queue."),
            click.option("--name", help="Only jobs of this name, e.g. Order#invoice."),
            click.option("--worker", help="Only jobs locked by this worker."),
            click.option("--locale", help="Only jobs that speak this language."),
            click.option("--error", help="Only jobs whose error begins with this."),
            click.option("--text", help="Only jobs with this text in name, arguments or error."),
            click.option(
                "--since", type=When(), help="Only jobs made after: 2027-01-31, 15m, 6h, 2d."
            ),
            click.option("--until", type=When(), help="Only jobs made before."),
        ]
    ):
        command = option(command)
    return command


def filter_of(chosen: dict[str, Any]) -> Filter:
    """The Filter for these options."""
    return Filter(
        ids=chosen["ids"] or None,
        states=tuple(State[name.upper()] for name in chosen["states"]) or None,
        queue=chosen["queue"],
        name=chosen["name"],
        worker=chosen["worker"],
        text=chosen["text"],
        locale=chosen["locale"],
        error=chosen["error"],
        created_after=chosen["since"],
        created_before=chosen["until"],
    )
