"""SAQ on PostgreSQL: ten at a time as it comes; best: 50."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from contest.peer import Peer, tick, url_without_driver


async def no_op(context: Any, *, number: int) -> None:
    tick()


class SAQPeer(Peer):
    requirements: ClassVar = ["saq[postgres]==0.26.4", "psycopg[binary]"]
    jobs, best_jobs = 2500, 2500
    left = "SELECT count(*) FROM saq_jobs WHERE status IN ('new', 'queued', 'active')"

    async def connect(self) -> None:
        from saq import Queue

        self.queue = Queue.from_url(url_without_driver(self.url))
        await self.queue.connect()

    setup = connect

    async def enqueue_one(self) -> None:
        await self.queue.enqueue("no_op", number=1)

    async def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, 100):
            size = min(100, count - begin)
            await asyncio.gather(*(self.enqueue_one() for _ in range(size)))

    async def work(self) -> None:
        from saq import Queue, Worker

        queue = Queue.from_url(url_without_driver(self.url))
        worker = Worker(queue, [no_op], concurrency=50 if self.best else 10)
        await queue.connect()
        await worker.start()


if __name__ == "__main__":
    SAQPeer.main()
