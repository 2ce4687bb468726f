"""RQ on Redis: its SimpleWorker (no fork per job), which its documents name for speed."""

from __future__ import annotations

import importlib
from typing import ClassVar

from contest.peer import BATCH, Peer, tick


def no_op(number: int) -> None:
    tick()


class RQPeer(Peer):
    store = "redis"
    requirements: ClassVar = ["rq==3.0.0"]
    jobs = 2000

    def connect(self) -> None:
        import redis
        import rq

        self.queue = rq.Queue(connection=redis.Redis.from_url(self.url))

    setup = connect

    def enqueue_one(self) -> None:
        self.queue.enqueue(no_op, 1, result_ttl=0)

    def enqueue_many(self, count: int) -> None:
        import rq

        for begin in range(0, count, BATCH):
            size = min(BATCH, count - begin)
            data = [rq.Queue.prepare_data(no_op, (1,), result_ttl=0) for _ in range(size)]
            self.queue.enqueue_many(data)

    def work(self) -> None:
        import rq

        self.connect()
        worker = rq.SimpleWorker([self.queue], connection=self.queue.connection)
        worker.work(logging_level="WARNING")


if __name__ == "__main__":
    # the job's import path must be one that the worker can import
    importlib.import_module("peers.rq_").RQPeer.main()
