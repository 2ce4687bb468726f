"""Whether all is well, with reasons: for probes of containers, load balancers and people."""

from __future__ import annotations

from datetime import timedelta

from bide import clock
from bide.errors import DatabaseError, NotMigrated
from bide.jobs.store import Store
from bide.workers.settings import LONGEST, Settings


def problems(
    store: Store, settings: Settings, *, workers: int = 0, max_age: float | None = None
) -> list[str]:
    """What keeps jobs from being stored and, where asked, from being run; empty: nothing.

    `workers`: how many must live at least. `max_age`: seconds that a ready job may have waited. The
    texts hold nothing that outsiders must not read.
    """
    try:
        return [
            *_missing_workers(store, settings, workers),
            *([] if max_age is None else _late(store, max_age)),
        ]
    except NotMigrated:
        return ["the tables are missing or older than this version: run `bide migrate`"]
    except DatabaseError as error:
        return [f"the database does not answer ({type(error).__name__})"]


def _missing_workers(store: Store, settings: Settings, wanted: int) -> list[str]:
    heard_since = clock.utc_now() - timedelta(
        seconds=settings.heartbeat_interval * settings.missed_heartbeats
    )
    alive = sum(row.heartbeat_at >= heard_since for row in store.workers())
    return [] if alive >= wanted else [f"{alive} workers are alive, {wanted} are wanted"]


def _late(store: Store, max_age: float) -> list[str]:
    now = clock.utc_now()
    return [
        f"queue {row.name}: the oldest ready job waits for {(now - row.oldest_ready).total_seconds():.0f} s"
        for row in store.surveys.queues(at_most=1)
        if row.oldest_ready is not None
        and row.paused_at is None
        and row.oldest_ready < now - timedelta(seconds=min(max_age, LONGEST))
    ]
