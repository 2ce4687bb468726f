"""Bide as it comes: default settings, every promise and hook on. There is no other configuration."""

from __future__ import annotations

from typing import ClassVar

import bide
from contest.peer import Peer, tick


class Bide(Peer):
    requirements: ClassVar = []
    jobs = 100_000
    left = "SELECT count(*) FROM bide_jobs WHERE state < 3"

    def connect(self) -> None:
        self.app = bide.App(self.url)

        @self.app.job(name="tick")
        def no_op(number: int) -> None:
            tick()

        self.no_op = no_op

    def setup(self) -> None:
        self.connect()
        self.app.migrate()

    def enqueue_one(self) -> None:
        self.no_op.delay(1)

    def enqueue_many(self, count: int) -> None:
        self.app.enqueue_many(self.no_op.bind(number) for number in range(count))

    def work(self) -> None:
        self.connect()
        self.app.worker().start()


if __name__ == "__main__":
    Bide.main()
