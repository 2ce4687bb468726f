"""Standard streams and log handlers over a fork: flushed before, fresh ones after."""

from __future__ import annotations

import contextlib
import logging
import sys
from pathlib import Path
from typing import Any

from bide.forks.owned import keep_for_ever


def flush() -> None:
    """Empty the buffers, so that no child writes the parent's half of a line again."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    for handler in _handlers():
        with contextlib.suppress(Exception):
            handler.flush()


def to_renew(*, files: bool) -> list[Any]:
    """The log handlers that a child cannot go on with: those with connections, and with `files`
    those with a stream of their own.

    A thread that wrote a line at the fork left the stream's own lock behind, held by nobody.
    """
    # Who has a handler with a connection has imported them.
    known = sys.modules.get("logging.handlers")
    kinds = (known.SocketHandler, known.SysLogHandler) if known else ()
    wanted = (logging.FileHandler, *kinds) if files else kinds
    return [handler for handler in _handlers() if isinstance(handler, wanted)]


def renew(handlers: list[Any]) -> None:
    """Give them new connections at their next line, and new streams."""
    for handler in handlers:
        with contextlib.suppress(Exception):
            if isinstance(handler, logging.FileHandler):
                if handler.stream:
                    _fresh_stream(handler)
            elif hasattr(handler, "sock"):
                keep_for_ever(handler.sock)
                handler.sock = None
            else:
                keep_for_ever(vars(handler).get("socket"))
                handler.socket = None


def _fresh_stream(handler: logging.FileHandler) -> None:
    keep_for_ever(handler.stream)
    path = Path(handler.baseFilename)
    handler.stream = path.open("a", encoding=handler.encoding, errors=handler.errors)


def _handlers() -> list[Any]:
    references = logging._handlerList  # type: ignore[attr-defined]
    return [handler for each in list(references) if (handler := each()) is not None]
