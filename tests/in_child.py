"""Run a function in a forked child and bring its answer, or its error, back."""

from __future__ import annotations

import os
import pickle
import select
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import Any


class ChildFailed(AssertionError):
    """The child raised, died or did not answer in time; the message holds its traceback."""


def fork() -> int:
    """os.fork() without Python 3.12's warning and ours about threads, which tests start on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.filterwarnings("ignore", "forking with other threads alive", RuntimeWarning)
        return os.fork()


def start(function: Callable[[], Any]) -> tuple[int, int]:
    """Fork; the child answers on a pipe and leaves by os._exit. Returns its pid and the pipe."""
    reading, writing = os.pipe()
    pid = fork()
    if pid == 0:
        os.close(reading)
        try:
            answer = pickle.dumps((True, function()))
        except BaseException:  # noqa: BLE001 - the parent raises it again
            answer = pickle.dumps((False, traceback.format_exc()))
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    return pid, reading


def finish(pid: int, reading: int, within: float = 20.0) -> Any:
    """The answer of a child that `start` made."""
    data = b""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while select.select([pipe], [], [], within)[0]:
            piece = pipe.read(65536)
            data += piece
            if not piece:
                break
        else:
            os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not data:
        raise ChildFailed(f"child {pid} ended without an answer, wait status {status}")
    done, answer = pickle.loads(data)
    if not done:
        raise ChildFailed(answer)
    return answer


def in_child(function: Callable[[], Any], within: float = 20.0) -> Any:
    """What `function()` returns in a forked child."""
    return finish(*start(function), within=within)
