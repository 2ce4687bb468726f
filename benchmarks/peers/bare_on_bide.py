"""The bare driver on Bide's own table, with its columns and indexes: the statements of benchmarks/bare.py.

The ceiling's table is as lean as a queue can be; what lies between the two is the price of Bide's columns.
"""

from __future__ import annotations

import json

from bare import open_bare
from contest.peer import BATCH, tick
from peers.bide_jobs import Bide


class BareOnBide(Bide):
    def connect(self) -> None:
        self.bare = open_bare(self.url, 0)

    def setup(self) -> None:
        super().connect()
        self.app.migrate()

    def enqueue_one(self) -> None:
        self.put(1, 1)

    def enqueue_many(self, count: int) -> None:
        self.put(count, BATCH)

    def put(self, count: int, size: int) -> None:
        """With keys of its own for each row, as every job has one."""
        self.bare.rows, self.bare.jobs = self.bare.make(count), count
        self.bare.store(size)

    def work(self) -> None:
        self.connect()
        self.bare.perform = perform  # type: ignore[method-assign]
        while True:
            self.bare.empty(100)


def perform(payload: str) -> None:
    json.loads(payload)
    tick()


if __name__ == "__main__":
    BareOnBide.main()
