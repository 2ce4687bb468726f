"""The tables of jobs as SQLAlchemy knows them, for every statement that is not hot."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from sqlalchemy import Column, Double, Integer, MetaData, SmallInteger, Table

from bide.db.types import Big, Key, LongText, Moment, Name
from bide.jobs.statistics import EMPTY, Statistic


class Tables(NamedTuple):
    """The tables of one prefix."""

    jobs: Table
    workers: Table
    attempts: Table
    queues: Table
    statistics: Table
    audit: Table
    results: Table


@cache
def tables(prefix: str = "bide_") -> Tables:
    """The tables whose names begin with `prefix`. Only columns: the migrations own everything else."""
    schema = MetaData()

    def table(name: str, *columns: Column[object]) -> Table:
        return Table(prefix + name, schema, *columns)

    return Tables(
        jobs=table(
            "jobs",
            Column("id", Big, primary_key=True),
            Column("key", Key),
            Column("name", Name),
            Column("queue", Name),
            Column("priority", Integer),
            Column("state", SmallInteger),
            Column("payload", LongText),
            Column("attempts", Integer),
            Column("crashes", Integer),
            Column("max_attempts", Integer),
            Column("run_at", Moment),
            Column("locked_at", Moment),
            Column("locked_by", Name),
            Column("worker_id", Big),
            Column("lease", Integer),
            Column("failed_at", Moment),
            Column("finished_at", Moment),
            Column("last_error", LongText),
            Column("created_at", Moment),
            Column("locale", Name),
            Column("context", LongText),
            Column("pos", Big),
        ),
        workers=table(
            "workers",
            Column("id", Big, primary_key=True),
            Column("name", Name),
            Column("host", Name),
            Column("pid", Integer),
            Column("started_at", Moment),
            Column("heartbeat_at", Moment),
            Column("info", LongText),
        ),
        attempts=table(
            "attempts",
            Column("id", Big, primary_key=True),
            Column("job_id", Big),
            Column("attempt", Integer),
            Column("lease", Integer),
            Column("worker", Name),
            Column("started_at", Moment),
            Column("ended_at", Moment),
            Column("kind", Name),
            Column("error", LongText),
        ),
        queues=table(
            "queues",
            Column("name", Name, primary_key=True),
            Column("paused_at", Moment),
        ),
        statistics=table(
            "statistics",
            Column("writer", Big, primary_key=True),
            Column("minute", Moment, primary_key=True),
            Column("queue", Name, primary_key=True),
            Column("name", Name, primary_key=True),
            *(Column(name, Big) for name in Statistic._fields[3:8]),
            *(Column(name, Double) for name in Statistic._fields[8:-2]),
            *(Column(f"run_{place}", Big) for place in range(len(EMPTY))),
            *(Column(f"wait_{place}", Big) for place in range(len(EMPTY))),
        ),
        audit=table(
            "audit",
            Column("id", Big, primary_key=True),
            Column("at", Moment),
            Column("who", Name),
            Column("action", Name),
            Column("what", Name),
            Column("detail", LongText),
        ),
        results=table(
            "results",
            Column("job_id", Big, primary_key=True),
            Column("worker", Name),
            Column("started_at", Moment),
            Column("value", LongText),
            Column("keep_until", Moment),
        ),
    )
