"""Dramatiq on Redis: one thread as it comes; best: two threads and a prefetch of 500 (its advanced guide)."""

from __future__ import annotations

import os
import time
from typing import ClassVar

from contest.peer import Peer, tick


class DramatiqPeer(Peer):
    store = "redis"
    requirements: ClassVar = ["dramatiq[redis]==2.2.1"]
    jobs, best_jobs = 6000, 15_000

    def connect(self) -> None:
        if self.best:
            os.environ["dramatiq_queue_prefetch"] = "500"  # noqa: SIM112 - its name
        import dramatiq
        from dramatiq.brokers.redis import RedisBroker

        self.broker = RedisBroker(url=self.url)
        dramatiq.set_broker(self.broker)

        @dramatiq.actor
        def no_op(number: int) -> None:
            tick()

        self.no_op = no_op

    setup = connect

    def enqueue_one(self) -> None:
        self.no_op.send(1)

    def enqueue_many(self, count: int) -> None:
        for _ in range(count):
            self.no_op.send(1)

    def work(self) -> None:
        from dramatiq import Worker

        self.connect()
        Worker(self.broker, worker_threads=2 if self.best else 1).start()
        while True:
            time.sleep(60)


if __name__ == "__main__":
    DramatiqPeer.main()
