"""One run of one contender: a drain, enqueues, or latencies."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from contest.board import Board
from contest.environments import HERE, Contender, Unavailable, surroundings
from contest.stores import Store, Stores, cpu_of_tree

#: Seconds without a further job after which a drain counts as stuck.
STUCK = 20.0


class Drain(NamedTuple):
    """Jobs a second from the first job to the last; processor microseconds a job; what was left."""

    rate: float
    worker: float
    server: float
    left: int


def drain(contender: Contender, stores: Stores, count: int, *, best: bool, workers: int) -> Drain:
    """Store `count` no-op jobs, then let `workers` processes perform them."""
    with stores.empty(contender.about["store"]) as store:
        ready = words(store, best)
        contender.ask("setup", *ready)
        contender.ask("fill", *ready, "--count", str(count))
        store.settle()
        board = new_board()
        with working(contender, ready, board, workers) as processes:
            return measured(contender, store, board, processes, count)


def measured(
    contender: Contender, store: Store, board: Board, processes: list[int], count: int
) -> Drain:
    wait_for(board, 1)
    began = board.count
    worker, server = worker_cpu(processes), store.cpu()
    wait_for(board, count)
    worker, server = worker_cpu(processes) - worker, store.cpu() - server
    jobs = max(1, count - began)
    rate = (count - 1) / board.span if board.span else 0.0
    return Drain(rate, worker / jobs * 1e6, server / jobs * 1e6, left(contender, store))


def left(contender: Contender, store: Store) -> int:
    """What the store still holds to do, once the worker had time to report its last batch."""
    if not contender.about["left"]:
        return 0
    deadline = time.monotonic() + 10
    while (found := store.query(contender.about["left"])) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def enqueue(contender: Contender, stores: Stores, action: str, count: int) -> Drain:
    """`one` by one or `many` at a time, no worker running."""
    with stores.empty(contender.about["store"]) as store:
        ready = words(store, best=True)
        contender.ask("setup", *ready)
        before = store.cpu()
        said = json.loads(
            contender.ask(action, *ready, "--count", str(count), board=new_board().path)
        )
        server = store.cpu() - before
        return Drain(count / said["seconds"], said["cpu"] / count * 1e6, server / count * 1e6, 0)


def latencies(contender: Contender, stores: Stores, count: int) -> list[float]:
    """Milliseconds from the return of an enqueue to the first line of its job; the worker is idle."""
    with stores.empty(contender.about["store"]) as store:
        ready = words(store, best=False)
        contender.ask("setup", *ready)
        board = new_board()
        with working(contender, ready, board, 1):
            time.sleep(3)  # the worker has nothing to show that it listens
            said = contender.ask("latency", *ready, "--count", str(count), board=board.path)
    return list(json.loads(said))


def words(store: Store, best: bool) -> list[str]:
    return ["--url", store.url, *(["--best"] if best else [])]


def new_board() -> Board:
    with tempfile.NamedTemporaryFile(prefix="contest-board-", delete=False) as file:
        pass
    Path(file.name).unlink()
    return Board(file.name)


@contextmanager
def working(
    contender: Contender, ready: list[str], board: Board, workers: int
) -> Iterator[list[int]]:
    """Worker processes, ended with everything they started."""
    log = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    processes = [
        subprocess.Popen(
            contender.command("work", *ready),
            env=surroundings(board.path),
            cwd=HERE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        for _ in range(workers)
    ]
    try:
        yield [process.pid for process in processes]
    except Stuck as error:
        log.seek(0)
        said = log.read()[-1500:].decode(errors="replace")
        raise Unavailable(f"{contender.module}: {error}; it said: {said}") from None
    finally:
        for process in processes:
            end(process)
        log.close()
        board.path.unlink(missing_ok=True)


class Stuck(Exception):
    """A drain does not go on."""


def wait_for(board: Board, count: int) -> None:
    seen, since = board.count, time.monotonic()
    while seen < count:
        time.sleep(0.002)
        now = board.count
        if now != seen:
            seen, since = now, time.monotonic()
        elif time.monotonic() - since > STUCK:
            raise Stuck(f"{seen} of {count} jobs were performed, then none for {STUCK:.0f} s")


def worker_cpu(pids: list[int]) -> float:
    return sum(cpu_of_tree(pid) for pid in pids)


def end(process: subprocess.Popen[bytes]) -> None:
    """The worker and its children, at once: what it stored is not looked at again."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)
    process.kill()
    process.wait()
