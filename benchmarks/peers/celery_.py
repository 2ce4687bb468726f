"""Celery on Redis: one prefork process as it comes; best: the solo pool, results ignored."""

from __future__ import annotations

from typing import Any, ClassVar

from contest.peer import Peer, tick


class CeleryPeer(Peer):
    store = "redis"
    requirements: ClassVar = ["celery[redis]==5.7.0"]
    jobs, best_jobs = 3000, 3000

    def connect(self) -> Any:
        from celery import Celery

        self.app = Celery("contest", broker=self.url)
        self.app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False)

        @self.app.task(name="tick")
        def no_op(number: int) -> None:
            tick()

        self.no_op = no_op
        return self.app

    setup = connect

    def enqueue_one(self) -> None:
        self.no_op.delay(1)

    def enqueue_many(self, count: int) -> None:
        with self.app.producer_pool.acquire(block=True) as producer:
            for _ in range(count):
                self.no_op.apply_async((1,), producer=producer)

    def work(self) -> None:
        pool = ["--pool=solo"] if self.best else ["--concurrency=1"]
        quiet = ["--loglevel=ERROR", "--without-gossip", "--without-mingle"]
        self.connect().worker_main(["worker", *pool, *quiet])


if __name__ == "__main__":
    CeleryPeer.main()
