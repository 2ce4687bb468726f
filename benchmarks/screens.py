"""Time to the first byte of each screen with a million jobs.

    python benchmarks/screens.py [--url postgresql:///empty] [--jobs 1000000] [--rounds 15] [--explain]

Without a URL it starts a PostgreSQL of its own. Each round asks every page once, over HTTP from a server
in this process; what the overview remembers for a second is forgotten before each request.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bide import App
from bide.jobs.job import Filter, State
from bide.web import Viewer, create_app
from web.browser import served

#: Shares of the states, of a thousand.
MIX = ((State.READY, 400), (State.SCHEDULED, 300), (State.FAILED, 200), (State.SUCCEEDED, 99), (State.RUNNING, 1))  # fmt: skip

FILL = """
INSERT INTO bide_jobs (key, name, queue, priority, state, payload, attempts, run_at, locked_at, locked_by,
  worker_id, lease, failed_at, finished_at, last_error, created_at, locale, pos)
SELECT md5(:state || '-' || n)::uuid, 'shop.job_' || n % 40, 'queue_' || n % 6, n % 3, :state,
  '{"v":1,"job":"shop.job","args":[' || n || '],"kwargs":{"name":"Ada"}}', n % 5,
  CASE WHEN :state = 2 THEN now() + n * interval '1 second' ELSE now() - n * interval '10 ms' END,
  CASE WHEN :state = 1 THEN now() END, CASE WHEN :state = 1 THEN 'worker' END,
  CASE WHEN :state = 1 THEN 1 END, 1, CASE WHEN :state = 3 THEN now() - n * interval '1 second' END,
  CASE WHEN :state > 2 THEN now() - n * interval '1 second' END,
  CASE WHEN :state = 3 THEN 'error ' || n % 50 || E'\\n' || repeat('  File "tasks.py", line 10' || E'\\n', 12) END,
  now() - n * interval '1 second', 'en', nextval('bide_jobs_pos_seq')
FROM generate_series(1, :number) AS n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--explain", action="store_true", help="print the plan of each statement too"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        app = App(options.url or stack.enter_context(a_server()))
        app.migrate()
        fill(app, options.jobs)
        screens = create_app(app, auth=lambda request: Viewer("ada"))
        address = stack.enter_context(served(screens))
        forget = watch_of(screens)
        print(f"{options.jobs:,} jobs, {options.rounds} rounds; milliseconds to the first byte")
        print(f"{'page':<52} {'median':>8} {'worst':>8} {'status':>7}")
        for path in pages(app):
            times, status = measure(address, path, options.rounds, forget)
            print(f"{path:<52} {statistics.median(times):>8.1f} {max(times):>8.1f} {status:>7}")
        if options.explain:
            explain(app)
        app.close()


@contextmanager
def a_server() -> Iterator[str]:
    from servers.postgresql import PostgreSQL

    server = PostgreSQL.new()
    try:
        server.create_database("screens")
        yield server.url("screens")
    finally:
        server.release()


def fill(app: App, number: int) -> None:
    database = app.database
    assert database is not None
    for state, share in MIX:
        many = {"state": int(state), "number": number * share // 1000}
        database.run(lambda connection, many=many: connection.execute(FILL, many), patient=True)
    app.store.register("worker", "host", 1, {"running": []})
    # Autovacuum comes to it in an application's life; here it would come in the middle.
    database.read(lambda connection: connection.execute("VACUUM ANALYZE bide_jobs"))


def pages(app: App) -> list[str]:
    job = app.store.find(Filter(states=(State.FAILED,)), limit=1)[0]
    lists = [f"/jobs?state={state.name.lower()}" for state in State]
    return [
        "/overview", "/queues", "/workers", "/audit", "/jobs", *lists,
        "/jobs?state=failed&by=name", "/jobs?state=failed&by=error", "/jobs?state=ready&by=name",
        "/jobs?queue=queue_3&state=failed", "/jobs?state=ready&queue=queue_5", "/jobs?name=shop.job_7",
        "/jobs?q=nowhere", "/jobs?state=failed&q=error+17", "/jobs?state=failed&error=error+17",
        deep(app, State.READY), deep(app, State.FAILED), deep(app, State.SCHEDULED), f"/jobs/{job.id}",
    ]  # fmt: skip


def deep(app: App, state: State) -> str:
    """A page far behind the first."""
    from urllib.parse import urlencode

    after = None
    for _ in range(3):
        after = app.store.surveys.page(Filter(states=(state,)), limit=30_000, after=after).after
    return "/jobs?" + urlencode({"state": state.name.lower(), "after": after})


def watch_of(screens: Any) -> Any:
    """What makes the screens look anew."""
    gate = next(one for one in screens.user_middleware)
    login = gate.kwargs["login"].__self__
    return login._screens.watch.forget


def measure(address: str, path: str, rounds: int, forget: Any) -> tuple[list[float], int]:
    host = address.removeprefix("http://")
    times, status = [], 0
    for number in range(rounds + 2):
        connection = http.client.HTTPConnection(host, timeout=60)
        forget()
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        took, status = (time.perf_counter() - began) * 1000, answer.status
        answer.read()
        connection.close()
        if number > 1:  # the first ones prepare connections and templates
            times.append(took)
    return times, status


def explain(app: App) -> None:
    """The plans of the statements behind the lists."""
    database = app.database
    assert database is not None
    read = database.read

    def explained(work: Any) -> Any:
        return read(lambda connection: work(Explained(connection)))

    database.read = explained  # type: ignore[method-assign]
    for state in State:
        print(state.name.lower())
        app.store.surveys.page(Filter(states=(state,), name="shop.job_7"), limit=50)
    print("queues")
    app.store.surveys.queues()
    database.read = read  # type: ignore[method-assign]


class Explained:
    """A connection that prints the plan of each statement before it runs it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def core(self, query: Any) -> Any:
        text, params = self._connection.driver.compile(query)
        [[plan]] = self._connection._run(f"EXPLAIN (FORMAT JSON) {text}", params, prepare=False)
        print("   ", " < ".join(nodes(plan)))
        return self._connection.core(query)


def nodes(plan: Any) -> list[str]:
    plan = json.loads(plan) if isinstance(plan, str) else plan
    found: list[str] = []

    def walk(node: dict[str, Any]) -> None:
        found.append(node["Node Type"] + (f" {node['Index Name']}" if "Index Name" in node else ""))
        for part in node.get("Plans", []):
            walk(part)

    walk(plan[0]["Plan"])
    return found


if __name__ == "__main__":
    main()
