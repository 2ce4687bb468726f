"""Procrastinate: psycopg connector; best: 30 jobs at a time (its guide on concurrency)."""

from __future__ import annotations

from typing import Any, ClassVar

from contest.peer import BATCH, Peer, tick, url_without_driver


class ProcrastinatePeer(Peer):
    requirements: ClassVar = ["procrastinate==3.10.0", "psycopg[binary]"]
    jobs, best_jobs = 1500, 2000
    left = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"

    def make(self) -> Any:
        import procrastinate

        connector = procrastinate.PsycopgConnector(conninfo=url_without_driver(self.url))
        self.app = procrastinate.App(connector=connector)

        @self.app.task(name="tick")
        async def no_op(number: int) -> None:
            tick()

        self.no_op = no_op
        return self.app

    async def connect(self) -> None:
        await self.make().open_async()

    async def setup(self) -> None:
        await self.connect()
        await self.app.schema_manager.apply_schema_async()

    async def enqueue_one(self) -> None:
        await self.no_op.defer_async(number=1)

    async def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            size = min(BATCH, count - begin)
            await self.no_op.batch_defer_async(*({"number": 1} for _ in range(size)))

    async def work(self) -> None:
        await self.connect()
        await self.app.run_worker_async(concurrency=30 if self.best else 1)


if __name__ == "__main__":
    ProcrastinatePeer.main()
