"""oban-py: ten jobs at a time as in its guide; best: 200. It needs Python 3.12."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from contest.peer import BATCH, Peer, tick, url_without_driver


class ObanPeer(Peer):
    requirements: ClassVar = ["oban==0.7.0"]
    python = "3.12"
    jobs, best_jobs = 5000, 8000
    left = "SELECT count(*) FROM oban_jobs WHERE state IN ('available', 'executing', 'scheduled')"

    async def connect(self, **queues: int) -> None:
        from oban import Oban, worker
        from psycopg_pool import AsyncConnectionPool

        self.pool = AsyncConnectionPool(url_without_driver(self.url), min_size=2, open=False)
        await self.pool.open()
        self.oban = Oban(pool=self.pool, queues=queues or None)

        @worker(queue="default")
        class Tick:
            async def process(self, job: Any) -> None:
                tick()

        self.tick = Tick

    async def setup(self) -> None:
        from oban.schema import install

        await self.connect()
        await install(self.pool)

    async def enqueue_one(self) -> None:
        await self.oban.enqueue(self.tick.new({"number": 1}))

    async def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            size = min(BATCH, count - begin)
            await self.oban.enqueue_many([self.tick.new({"number": 1}) for _ in range(size)])

    def work(self) -> None:
        import uvloop

        uvloop.run(self.consume())

    async def consume(self) -> None:
        await self.connect(default=200 if self.best else 10)
        async with self.oban:
            await asyncio.Event().wait()


if __name__ == "__main__":
    ObanPeer.main()
