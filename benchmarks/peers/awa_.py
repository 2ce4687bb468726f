"""Awa (an engine in Rust with Python handlers): ten workers; best: 256, enqueued by COPY as its README says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar

from contest.peer import BATCH, Peer, tick


def address(url: str) -> str:
    """Its driver wants a host before the query, which then names the socket."""
    return url.replace("postgresql://postgres@/", "postgresql://postgres@localhost/")


@dataclass
class Tick:
    number: int


class AwaPeer(Peer):
    requirements: ClassVar = ["awa-pg==0.6.9"]
    jobs, best_jobs = 3000, 15_000

    async def connect(self) -> None:
        import awa

        self.client = awa.AsyncClient(address(self.url))

        @self.client.task(Tick, queue="default")
        async def no_op(job: Any) -> None:
            tick()

    async def setup(self) -> None:
        import awa

        await awa.migrate(address(self.url))
        await self.connect()
        await self.client.install_queue_storage()

    async def enqueue_one(self) -> None:
        await self.client.insert(Tick(1), queue="default")

    async def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            jobs = [Tick(1)] * min(BATCH, count - begin)
            await self.client.enqueue_many_copy(jobs, queue="default")

    async def work(self) -> None:
        await self.connect()
        await self.client.start([("default", 256 if self.best else 10)])
        await asyncio.Event().wait()


if __name__ == "__main__":
    AwaPeer.main()
