"""The ceiling: psycopg 3 alone, claims and finishes of a hundred (best: in pipeline mode), no framework.

Its table has what every queue needs and no more. Like Bide it does not wait for the disk when it claims and
finishes: what a crash of the server takes of that is done again. Jobs are stored durably.
"""

from __future__ import annotations

from typing import Any, ClassVar

from contest.peer import BATCH, Peer, tick, url_without_driver

TABLE = """
    CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, queue text NOT NULL,
      priority int NOT NULL, state smallint NOT NULL DEFAULT 0, payload text NOT NULL,
      locked_at timestamptz, locked_by text);
    CREATE INDEX ready ON jobs (priority, id) WHERE state = 0
"""
INSERT = "INSERT INTO jobs (queue, priority, payload) VALUES (%s, %s, %s)"
MANY = "INSERT INTO jobs (queue, priority, payload) SELECT %s, %s, unnest(%s::text[])"
CLAIM = """
    UPDATE jobs SET state = 1, locked_at = now(), locked_by = 'bare' WHERE id = ANY(ARRAY(
      SELECT id FROM jobs WHERE state = 0 ORDER BY priority, id LIMIT %s FOR UPDATE SKIP LOCKED))
    RETURNING id, payload
"""
FINISH = "DELETE FROM jobs WHERE id = ANY(%s)"
PAYLOAD = '{"job": "tick", "args": []}'


class BarePsycopg(Peer):
    requirements: ClassVar = ["psycopg[binary]"]
    jobs, best_jobs = 150_000, 150_000
    left = "SELECT count(*) FROM jobs"

    def connect(self) -> None:
        import psycopg

        self.connection = psycopg.connect(url_without_driver(self.url), autocommit=True)

    def setup(self) -> None:
        self.connect()
        self.connection.execute(TABLE)

    def enqueue_one(self) -> None:
        self.connection.execute(INSERT, ("default", 0, PAYLOAD))

    def enqueue_many(self, count: int) -> None:
        for begin in range(0, count, BATCH):
            payloads = [PAYLOAD] * min(BATCH, count - begin)
            self.connection.execute(MANY, ("default", 0, payloads))

    def work(self) -> None:
        self.connect()
        self.connection.execute("SET synchronous_commit = off")
        if self.best:
            self.pipelined()
        while True:
            claimed = self.connection.execute(CLAIM, (100,)).fetchall()
            self.perform(claimed)
            self.connection.execute(FINISH, ([number for number, _ in claimed],))

    def pipelined(self) -> None:
        """Finish one batch and claim the next in one round trip."""
        done: list[int] = []
        with self.connection.pipeline() as pipeline:
            while True:
                self.connection.execute(FINISH, (done,))
                cursor = self.connection.execute(CLAIM, (100,))
                pipeline.sync()
                claimed = cursor.fetchall()
                self.perform(claimed)
                done = [number for number, _ in claimed]

    @staticmethod
    def perform(claimed: list[Any]) -> None:
        for _ in claimed:
            tick()


if __name__ == "__main__":
    BarePsycopg.main()
