"""Error texts that every database can store: safe characters, bounded, both ends kept (DJ-521)."""

from __future__ import annotations

import traceback
from types import TracebackType

#: Characters kept of an error text; MySQL's LONGTEXT and every screen can bear it.
LIMIT = 64 * 1024


def describe(error: BaseException) -> str:
    """The message, then the traceback as Python prints it, causes included."""
    message = message_of(error)
    try:
        trace = "".join(
            traceback.format_exception(type(error), error, _below_us(error.__traceback__))
        )
    except BaseException:  # noqa: BLE001 - as below
        trace = f"{type(error).__name__} (its traceback could not be read)"
    return safe(f"{message}\n{trace}".rstrip())


def message_of(error: BaseException) -> str:
    """What the error says, else its type (DJ-074)."""
    try:
        return str(error) or type(error).__name__
    except BaseException:  # noqa: BLE001 - an error whose __str__ raises must not cost the record of it
        return f"{type(error).__name__} (its message could not be read)"


def _below_us(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the job's own first frame on; ours above it say nothing about the job."""
    inner = trace
    while inner is not None and inner.tb_frame.f_globals.get("__name__", "").startswith("bide."):
        inner = inner.tb_next
    return inner if inner is not None else trace


def safe(text: str, limit: int = LIMIT) -> str:
    """`text` without NUL and lone surrogates, cut in the middle when longer than `limit` characters."""
    text = text.replace("\x00", "\N{SYMBOL FOR NULL}")
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(text) <= limit:
        return text
    half = (limit - 80) // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n... {left_out} characters left out ...\n{text[-half:]}"
