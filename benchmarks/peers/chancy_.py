"""Chancy: its asynchronous executor; best: a thousand at a time with eager polling (its queue reference)."""

from __future__ import annotations

import importlib
from typing import ClassVar

from contest.peer import BATCH, Peer, tick, url_without_driver


async def no_op(*, number: int) -> None:
    tick()


class ChancyPeer(Peer):
    requirements: ClassVar = ["chancy==0.26.0", "psycopg[binary]"]
    jobs, best_jobs = 0, 10_000
    left = "SELECT count(*) FROM chancy_jobs WHERE state IN ('pending', 'running', 'retrying')"

    def make(self) -> None:
        from chancy import Chancy, Job

        self.chancy = Chancy(url_without_driver(self.url))
        self.job = Job.from_func(no_op, kwargs={"number": 1})

    async def connect(self) -> None:
        self.make()
        await self.chancy.pool.open()

    async def setup(self) -> None:
        from chancy import Queue

        await self.connect()
        await self.chancy.migrate()
        queue = Queue(
            name="default",
            concurrency=1000,
            executor="chancy.executors.asyncex.AsyncExecutor",
            polling_interval=1,
            eager_polling=True,
        )
        await self.chancy.declare(queue, upsert=True)

    async def enqueue_one(self) -> None:
        await self.chancy.push(self.job)

    async def enqueue_many(self, count: int) -> None:
        async for _ in self.chancy.push_many([self.job] * count, batch_size=BATCH):
            pass

    async def work(self) -> None:
        from chancy import Worker

        await self.connect()
        async with Worker(self.chancy) as worker:
            await worker.wait_for_shutdown()


if __name__ == "__main__":
    # the job's import path must be one that the worker can import
    importlib.import_module("peers.chancy_").ChancyPeer.main()
