"""What the promises cost a worker: CPU time of a job that does nothing, each promise on and off.

    python benchmarks/promises.py [--url memory://] [--jobs 4000] [--rounds 21] [--json]

One process stores the jobs and works them off; on and off take turns, the least of the rounds counts. In
memory, where a store costs next to nothing, a promise weighs most; `--url` measures one of SQLite or
PostgreSQL (its worker, not the server). The locale is off where no texts are used; the heartbeat, where it
comes once an hour; the lifecycle, where its events call what they are about without asking for callbacks;
fencing, where jobs are finished by their ids alone. On is what everybody has.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import bide
from bide.db.statements import Statement
from bide.i18n.translator import I18n
from bide.jobs.lifecycle import Lifecycle
from bide.jobs.store import Lease, WorkerRef
from bide.jobs.stores.memory import MemoryStore
from costs import options, show


class Straight(Lifecycle):
    """A lifecycle that was never thought of."""

    def run(self, event: str, body: Any, *args: Any) -> Any:
        return body(*args)


def main() -> None:
    parser = options(__doc__)
    parser.set_defaults(url="memory://", rounds=21)
    parser.add_argument("--jobs", type=int, default=4_000)
    given = parser.parse_args()
    show(measure(given.url, given.jobs, given.rounds), as_json=given.json)


def measure(url: str, jobs: int = 4_000, rounds: int = 21) -> dict[str, Any]:
    """Microseconds a job on and off, and what on costs of off."""
    pairs = {name: (on, off) for name, (on, off) in PROMISES.items()}
    least = {(name, turn): float("inf") for name in pairs for turn in ("on", "off")}
    for _ in range(rounds):
        for name, (on, off) in pairs.items():
            for turn, make in (("on", on), ("off", off)):
                least[name, turn] = min(least[name, turn], once(make(url), jobs))
    return {
        name: {
            "on": round(least[name, "on"], 2),
            "off": round(least[name, "off"], 2),
            "cost": round(least[name, "on"] / least[name, "off"] - 1, 3),
        }
        for name in pairs
    }


def once(app: bide.App, jobs: int) -> float:
    """CPU microseconds a job of one drain, that of the keeper's thread included."""
    if app.database is not None:
        app.migrate()

    @app.job
    def nothing(number: int) -> None:
        """Do nothing."""

    app.enqueue_many(nothing.bind(number) for number in range(jobs))
    worker = app.worker(exit_on_complete=True)
    gc.collect()
    began = time.process_time_ns()
    worker.start()
    used = (time.process_time_ns() - began) / jobs / 1000
    app.close()
    return used


def usual(url: str) -> bide.App:
    return bide.App(url)


def without_statistics(url: str) -> bide.App:
    return bide.App(url, statistics=False)


def with_texts(url: str) -> bide.App:
    app = bide.App(url)
    app.use(I18n(default_locale="en"))
    return app


def without_heartbeat(url: str) -> bide.App:
    return bide.App(url, heartbeat_interval=3600.0)


def without_lifecycle(url: str) -> bide.App:
    app = bide.App(url)
    app.lifecycle = Straight()
    return app


def without_fencing(url: str) -> bide.App:
    app = bide.App(url)
    if isinstance(app.store, MemoryStore):
        app.store._held = _whatever_is_there.__get__(app.store)  # type: ignore[method-assign]
    elif app.database is not None:
        name, text = UNFENCED[app.database.kind]
        app.store.statements._loaded[name] = Statement(text, name)  # type: ignore[attr-defined]
    return app


_BY_ID_ALONE = (
    "WITH lazy AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), done AS "
    "(DELETE FROM bide_jobs WHERE id = ANY (:ids::bigint[]) RETURNING id) "
    "SELECT done.id FROM done CROSS JOIN lazy"
)
#: The statement that makes sure of the leases, and what would stand there if nobody asked for them.
UNFENCED = {
    "sqlite": ("finish_held_range", "DELETE FROM bide_jobs WHERE id BETWEEN :first AND :last"),
    "postgresql": ("finish", _BY_ID_ALONE),
}


def _whatever_is_there(store: Any, worker: WorkerRef, leases: list[Lease]) -> list[Any]:
    rows = (store._shelf.rows.get(job_id) for job_id, _ in leases)
    return [row for row in rows if row is not None]


Make = Callable[[str], bide.App]

#: Each promise: with it, without it.
PROMISES: dict[str, tuple[Make, Make]] = {
    "nothing changed (noise)": (usual, usual),
    "statistics": (usual, without_statistics),
    "locale": (with_texts, usual),
    "heartbeat": (usual, without_heartbeat),
    "lifecycle, no plugin": (usual, without_lifecycle),
    "lease fencing": (usual, without_fencing),
}


if __name__ == "__main__":
    main()
