"""PgQueuer: asyncpg and uvloop, as its command runs it; best: batches of 500.

Its documents (docs/reference/drivers.md, docs/guides/...) name asyncpg as the quickest driver and
`--batch-size` as the way to throughput.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from contest.peer import BATCH, Peer, tick, url_without_driver


class PgQueuerPeer(Peer):
    requirements: ClassVar = ["pgqueuer[asyncpg]==1.6.0", "uvloop"]
    jobs, best_jobs = 15_000, 60_000
    left = "SELECT count(*) FROM pgqueuer"

    async def connect(self) -> None:
        import asyncpg
        from pgqueuer.db import AsyncpgDriver
        from pgqueuer.queries import Queries

        self.connection = await asyncpg.connect(url_without_driver(self.url))
        self.driver = AsyncpgDriver(self.connection)
        self.queries = Queries(self.driver)

    async def setup(self) -> None:
        await self.connect()
        await self.queries.install()

    async def enqueue_one(self) -> None:
        await self.queries.enqueue("tick", b"1")

    async def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            size = min(BATCH, count - begin)
            await self.queries.enqueue(["tick"] * size, [b"1"] * size, [0] * size)

    def work(self) -> None:
        import uvloop

        uvloop.run(self.consume())

    async def consume(self) -> None:
        from pgqueuer import PgQueuer

        await self.connect()
        pgq = PgQueuer(self.driver)

        @pgq.entrypoint("tick")
        async def no_op(job: object) -> None:
            tick()

        await (pgq.run(batch_size=500) if self.best else pgq.run())
        await asyncio.Event().wait()


if __name__ == "__main__":
    PgQueuerPeer.main()
