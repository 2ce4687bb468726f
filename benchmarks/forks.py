"""What the fence costs a fork, with 10, 100 and 1,000 open connections: `python benchmarks/forks.py`."""

from __future__ import annotations

import gc
import os
import resource
import socket
import statistics
import time
from collections.abc import Callable

from bide.forks import guard

RUNS = 30


def main() -> None:
    raise_limit()
    print(
        f"{'open':>6} {'fork alone':>12} {'parent':>12} {'child':>12} {'first time':>12}   (median, ms)"
    )
    for count in (10, 100, 1000):
        ends = [end for _ in range(count // 2) for end in connection()]
        alone, parent, child, first = measure()
        figures = " ".join(f"{1000 * figure:>12.3f}" for figure in (alone, parent, child, first))
        print(f"{count:>6} {figures}")
        for end in ends:
            end.close()
    print(
        "parent: before_fork and after it; child: seal and forget; first time: a walk over the heap"
    )


def measure() -> tuple[float, float, float, float]:
    alone = statistics.median(timed(fork_only) for _ in range(RUNS))
    guard._state.last_census = None
    first = timed(before_and_after)
    parent = statistics.median(timed(before_and_after) for _ in range(RUNS))
    child = statistics.median(in_child() for _ in range(RUNS))
    return alone, parent, child, first


def timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def before_and_after() -> None:
    guard.before_fork()
    guard.after_fork_in_parent()


def fork_only() -> None:
    if (pid := os.fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def in_child() -> float:
    reading, writing = os.pipe()
    guard.before_fork()
    if (pid := os.fork()) == 0:
        started = time.perf_counter()
        guard.after_fork_in_child()
        os.write(writing, str(time.perf_counter() - started).encode())
        os._exit(0)
    guard.after_fork_in_parent()
    os.waitpid(pid, 0)
    said = float(os.read(reading, 100))
    os.close(reading)
    os.close(writing)
    return said


def connection() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


def raise_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))


if __name__ == "__main__":
    gc.collect()
    main()
