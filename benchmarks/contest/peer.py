"""What every queue in the contest answers to, in an environment of its own. Standard library only.

A peer's file subclasses `Peer`, says which documents its configuration follows, and ends with
`Name.main()`. Methods may be plain or `async def`; one process is one event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import json
import os
import random
import sys
import time
from typing import Any, ClassVar, NoReturn

from contest.board import Board

#: Jobs of one statement where a peer enqueues many.
BATCH = 1000


class Peer:
    """One queue. `best` asks for the configuration that its documents suggest for speed."""

    #: What pip installs for it, and the Python it needs.
    requirements: ClassVar[list[str]] = []
    python: ClassVar[str] = "3.11"
    #: What it keeps its jobs in: postgresql, sqlite, mysql, redis.
    store: ClassVar[str] = "postgresql"
    #: How many jobs a measured drain takes, as it comes and at its best: about three seconds' worth.
    jobs: ClassVar[int] = 3000
    best_jobs: ClassVar[int] = 0
    #: Counts what is left to do, in SQL of its store; empty where there is no SQL.
    left: ClassVar[str] = ""

    def __init__(self, url: str, *, best: bool) -> None:
        self.url, self.best = url, best

    def setup(self) -> Any:
        """Make tables or whatever is needed, in an empty store."""

    def connect(self) -> Any:
        """Get ready to enqueue."""

    def enqueue_one(self) -> Any:
        """Store one no-op job, durably, and return when it is."""
        raise NotImplementedError

    def enqueue_many(self, count: int) -> Any:
        """Store many, in the quickest way that the library offers, at most BATCH a statement."""
        raise NotImplementedError

    def work(self) -> Any:
        """One worker process, for ever."""
        raise NotImplementedError

    @classmethod
    def main(cls) -> None:
        """The command line of a peer's file; answers are JSON on standard output."""
        parser = argparse.ArgumentParser()
        parser.add_argument(
            "action", choices=("about", "setup", "fill", "one", "many", "work", "latency")
        )
        parser.add_argument("--url", default="")
        parser.add_argument("--count", type=int, default=0)
        parser.add_argument("--best", action="store_true")
        options = parser.parse_args()
        if options.action == "about":
            return print(json.dumps(cls.about()))
        peer = cls(options.url, best=options.best)
        if options.action == "work" and not inspect.iscoroutinefunction(peer.work):
            return peer.work()
        return asyncio.run(peer.act(options.action, options.count))

    @classmethod
    def about(cls) -> dict[str, Any]:
        """The class attributes, for the organizer."""
        names = ("requirements", "python", "store", "jobs", "best_jobs", "left")
        return {name: getattr(cls, name) for name in names}

    async def act(self, action: str, count: int) -> None:
        """Do one action; prints what it took."""
        if action in ("setup", "work"):
            await settle(getattr(self, action)())
            leave({})
        await settle(self.connect())
        if action == "latency":
            leave(await self.latencies(count))
        if action == "fill":
            await settle(self.enqueue_many(count))
            leave({})
        await settle(self.enqueue_one())  # connections and caches are made by the first
        began, cpu = time.monotonic(), time.process_time()
        if action == "one":
            for _ in range(count):
                await settle(self.enqueue_one())
        else:
            await settle(self.enqueue_many(count))
        spent = {"seconds": time.monotonic() - began, "cpu": time.process_time() - cpu}
        leave(spent | {"count": count})

    async def latencies(self, count: int) -> list[float]:
        """Milliseconds from the return of each enqueue to the first line of its job, worker idle."""
        waits = []
        for number in range(count):
            await asyncio.sleep(random.uniform(0.03, 0.09))
            await settle(self.enqueue_one())
            stored = time.monotonic_ns()
            deadline = stored + 10_000_000_000
            while board.count <= number and time.monotonic_ns() < deadline:
                time.sleep(0.0002)
            waits.append((board.latest - stored) / 1e6)
        return waits


def leave(answer: Any) -> NoReturn:
    """Say what was measured and go: pools and listeners of some libraries hold up an orderly end."""
    print(json.dumps(answer), flush=True)
    os._exit(0)


async def settle(answer: Any) -> Any:
    """Await what may have to be awaited."""
    return await answer if inspect.isawaitable(answer) else answer


board = Board(os.environ["CONTEST_BOARD"]) if "CONTEST_BOARD" in os.environ else None
#: The no-op job.
tick: Any = board.tick if board is not None else None


def url_without_driver(url: str) -> str:
    """The URL as libpq wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


if __name__ == "__main__":
    sys.exit("run bin/bench, or a file of benchmarks/peers")
