"""Huey on SQLite: one worker thread, as its consumer starts; WAL is its default. Best: fsync=False.

Its default leaves `synchronous` at SQLite's FULL; fsync=False is OFF, below the NORMAL of Bide and the bare driver.
"""

from __future__ import annotations

from typing import Any, ClassVar

from contest.peer import Peer, tick


class HueySQLite(Peer):
    store = "sqlite"
    requirements: ClassVar = ["huey==3.5.4"]
    jobs, best_jobs = 12_000, 12_000
    left = "SELECT count(*) FROM task"

    def make(self) -> Any:
        from huey import SqliteHuey

        quick = {"fsync": False} if self.best else {}
        return SqliteHuey(filename=self.url.removeprefix("sqlite:///"), **quick)

    def connect(self) -> None:
        self.huey = self.make()

        @self.huey.task(name="tick")
        def no_op(number: int) -> None:
            tick()

        self.no_op = no_op

    setup = connect

    def enqueue_one(self) -> None:
        self.no_op(1)

    def enqueue_many(self, count: int) -> None:
        for _ in range(count):
            self.no_op(1)

    def work(self) -> None:
        self.connect()
        self.huey.create_consumer().run()


if __name__ == "__main__":
    HueySQLite.main()
