"""Bide with `async def` jobs on its worker's event loop, as it comes."""

from __future__ import annotations

import bide
from contest.peer import tick
from peers.bide_jobs import Bide


class BideAsync(Bide):
    def connect(self) -> None:
        self.app = bide.App(self.url)

        @self.app.job(name="tick")
        async def no_op(number: int) -> None:
            tick()

        self.no_op = no_op


if __name__ == "__main__":
    BideAsync.main()
