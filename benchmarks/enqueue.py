"""How fast one process stores jobs, one by one and a thousand at a time, beside the bare driver.

python benchmarks/enqueue.py --url postgresql:///bench [--jobs 5000] [--many 100000] [--rounds 3] [--json]
"""

from __future__ import annotations

import json
import os
from typing import Any

from costs import options, program, rates, show, timed


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--jobs", type=int, default=5_000)
    parser.add_argument("--many", type=int, default=100_000)
    parser.add_argument("--one", choices=("one by one", "many"), help="one run, in this process")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(store(given.url, given.jobs, given.one)))
        return
    show(measure(given.url, given.jobs, given.many, given.rounds), as_json=given.json)


def measure(url: str, jobs: int = 5_000, many: int = 100_000, rounds: int = 3) -> dict[str, Any]:
    """Bide's and the bare driver's rates, and the ratios."""
    found: dict[str, Any] = {}
    for name, count in (("one by one", jobs), ("many", many)):
        ours: list[dict[str, Any]] = []
        theirs: list[dict[str, Any]] = []
        for _ in range(rounds):
            arguments = ("--url", url, "--jobs", str(count), "--one", name)
            ours.append(program("enqueue.py", *arguments, BIDE_DATABASE_URL=url))
            theirs.append(
                program("bare.py", "--url", url, "--jobs", str(count), "--one", f"enqueue {name}")
            )
        found[name] = rates(count, ours)
        found[f"bare driver, {name}"] = rates(count, theirs)
        ratio = found[name]["rate"] / found[f"bare driver, {name}"]["rate"]
        found[f"{name}, of the bare driver's"] = round(ratio, 3)
    return found


def store(url: str, jobs: int, name: str) -> dict[str, float]:
    """Store jobs in this process, on an empty table."""
    os.environ["BIDE_DATABASE_URL"] = url
    import bench_app
    from drain import empty

    bench_app.app.migrate()
    empty(bench_app.app)
    bench_app.nothing.delay(0)  # what is made once is made

    def one_by_one() -> None:
        for number in range(jobs):
            bench_app.nothing.delay(number)

    def many() -> None:
        bench_app.app.enqueue_many(bench_app.nothing.bind(number) for number in range(jobs))

    return timed(url, many if name == "many" else one_by_one)


if __name__ == "__main__":
    main()
