"""One connection opened before a fork, then asked by the parent and by children: what comes back.

A program of its own, so that nothing of the test runner is forked: `experiment.py` reads its order as
JSON from its arguments and prints what happened as JSON. `answers_of` is the reusable part: whatever
forks (a queue's workers, a preloading server) can call it with its own client.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ENOUGH_ERRORS = 25


@dataclass
class Answers:
    """What one process got: right answers, answers to another's question, errors."""

    right: int = 0
    wrong: int = 0
    errors: int = 0
    hung: bool = False
    first_error: str = ""
    crossings: list[str] = field(default_factory=list)


def answers_of(ask: Callable[[str], str], questions: int, name: str = "") -> Answers:
    """Ask `questions` tagged questions; stops after 25 errors in a row."""
    answers, in_a_row = Answers(), 0
    for number in range(questions):
        tag = f"{name or os.getpid()}-{number}"
        try:
            answer = ask(tag)
        except Exception as error:  # noqa: BLE001 - whatever a driver raises is the finding
            answers.errors += 1
            in_a_row += 1
            answers.first_error = answers.first_error or described(error)
            if in_a_row >= ENOUGH_ERRORS or alarmed:
                break
            continue
        in_a_row = 0
        if answer == tag:
            answers.right += 1
        else:
            answers.wrong += 1
    return answers


def described(error: BaseException) -> str:
    from bide.forks import guard

    guard.explain(error)
    notes = "".join(f" | {note}" for note in getattr(error, "__notes__", []))
    return f"{type(error).__module__}.{type(error).__name__}: {error}{notes}"


def main(order: dict[str, Any]) -> None:
    """`way`, `url`, `scenario`, `layers` (None: no fence), `children`, `questions`, `seconds`."""
    warnings.simplefilter("ignore")
    import bide.forks.trace  # records who opens a connection, where the environment asks
    from forks.clients import WAYS

    assert bide.forks.trace

    client = WAYS[order["way"]].open(order["url"])
    assert client.ask("warm") == "warm"
    if order["layers"] is not None:
        from bide.forks import guard

        guard.protect(guard.Layers(**order["layers"]))
    signal.signal(signal.SIGALRM, hang)
    result = SCENARIOS[order["scenario"]](client, order)
    os.write(1, b"RESULT " + json.dumps(result).encode() + b"\n")
    os._exit(0)


alarmed: list[int] = []


def hang(number: int, *_: Any) -> None:
    alarmed.append(number)
    raise TimeoutError("hung")


def share(client: Any, order: dict[str, Any]) -> dict[str, Any]:
    """The parent and its children ask at the same time."""
    gate_reading, gate_writing = os.pipe()

    def ask() -> Answers:
        os.close(gate_writing)
        os.read(gate_reading, 1)
        return answers_of(client.ask, order["questions"])

    children = [start(ask) for _ in range(order["children"])]
    os.close(gate_reading)
    os.close(gate_writing)
    parent = in_parent(client, order)
    deadline = time.monotonic() + order["seconds"]
    return {"parent": parent, "children": [finish(*each, deadline) for each in children]}


def one_exit(client: Any, order: dict[str, Any]) -> dict[str, Any]:
    """A child that never asks leaves in the way `exit`; then the parent asks 20 times."""
    leave = EXITS[order["exit"]]
    pid = os.fork()
    if pid == 0:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        signal.alarm(10)
        leave(client)
        os._exit(0)
    os.waitpid(pid, 0)
    return {"parent": in_parent(client, {**order, "questions": 20}), "children": []}


def leave_by_collection(client: Any) -> None:
    client.objects.clear()
    client.ask = client.close = None
    gc.collect()


def leave_by_close(client: Any) -> None:
    with contextlib.suppress(Exception):
        client.close()


def leave_by_exception(_: Any) -> None:
    raise RuntimeError("a child that fails")


EXITS: dict[str, Callable[[Any], None]] = {
    "os._exit": lambda _: os._exit(0),
    "sys.exit": lambda _: sys.exit(0),
    "exception": leave_by_exception,
    "garbage collection": leave_by_collection,
    "close": leave_by_close,
}
SCENARIOS = {"share": share, "exit": one_exit}


def in_parent(client: Any, order: dict[str, Any]) -> dict[str, Any]:
    signal.alarm(order["seconds"])
    try:
        answers = answers_of(client.ask, order["questions"])
    except TimeoutError:
        answers = Answers(hung=True)
    answers.hung = answers.hung or bool(alarmed)
    signal.alarm(0)
    return asdict(answers)


def start(work: Callable[[], Answers]) -> tuple[int, int]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        answers = work()
        if "bide.forks.guard" in sys.modules:
            answers.crossings = [str(each) for each in sys.modules["bide.forks.guard"].crossings()]
        os.write(writing, json.dumps(asdict(answers)).encode())
        os._exit(0)
    os.close(writing)
    return pid, reading


def finish(pid: int, reading: int, deadline: float) -> dict[str, Any]:
    select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
    os.set_blocking(reading, False)
    with contextlib.suppress(BlockingIOError):
        if said := os.read(reading, 65536):
            os.waitpid(pid, 0)
            return dict(json.loads(said))
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return asdict(Answers(hung=True))


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main(json.loads(sys.argv[1]))
