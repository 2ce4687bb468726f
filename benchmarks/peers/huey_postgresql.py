"""Huey on PostgreSQL: one worker thread, as its consumer starts (more threads were slower)."""

from __future__ import annotations

from typing import Any, ClassVar

from contest.peer import url_without_driver
from peers.huey_sqlite import HueySQLite


class HueyPostgreSQL(HueySQLite):
    store = "postgresql"
    requirements: ClassVar = ["huey==3.5.4", "psycopg[binary]"]
    jobs, best_jobs = 5000, 0
    left = "SELECT count(*) FROM huey_task"

    def make(self) -> Any:
        from huey import PostgresHuey

        return PostgresHuey(dsn=url_without_driver(self.url))


if __name__ == "__main__":
    HueyPostgreSQL.main()
