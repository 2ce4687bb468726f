"""The payloads of most jobs, read in a third of the time: a function and its arguments, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bide.jobs.plain_calls import VERSION

#: What the payload of a function begins with, as it is written.
BEGINNING: Final = '{"v":1,"job":'


class QuickCall(msgspec.Struct, gc=False):
    """What follows there; that its fields are known is what makes it quick."""

    v: int
    job: str
    args: list[Any]
    kwargs: dict[str, Any]


_read: Callable[[str], QuickCall] = msgspec.json.Decoder(QuickCall).decode


def quick_call(text: str) -> QuickCall | None:
    """The call if it is one with positional arguments only; None for whatever must be looked at closely."""
    if not text.startswith(BEGINNING):
        return None
    try:
        call = _read(text)
    except (ValueError, TypeError, RecursionError):
        return None
    return None if call.kwargs or call.v != VERSION else call


def says_nothing(options: Any) -> bool:
    """Whether a declaration is silent about all that is asked for each attempt."""
    return all(getattr(options, name, None) is None for name in ("max_run_time", "keep_result"))
