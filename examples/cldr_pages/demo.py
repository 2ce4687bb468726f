"""bin/demo: stores about two thousand jobs, has forked workers perform them, and shows what became of them."""

from __future__ import annotations

import argparse
import html
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

HERE = Path(__file__).parent
console = Console()


def main() -> int:
    options = arguments()
    output = options.output.resolve()
    prepare(output, options)

    import pages  # reads the settings that `prepare` made

    names = pages.locales()[:: 20 if options.quick else 1]
    pages.app.migrate()
    jobs = store(pages, names, output)
    console.print(f"Stored [b]{len(jobs)}[/b] jobs in {pages.app.settings.database_url}")
    command = [sys.executable, "-m", "bide.cli", "--app", "pages:app", "work"]
    log = (output / "workers.log").open("w")
    workers = subprocess.Popen(
        [*command, "-n", str(options.workers)], cwd=HERE, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        seconds = watch(pages.app, len(jobs), workers)
    finally:
        workers.send_signal(signal.SIGTERM)
        workers.wait(30)
    index(output)
    return summary(pages, jobs, seconds, output)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument(
        "--database", help="postgresql://… or mysql://…; default: a fresh SQLite file"
    )
    parser.add_argument("--workers", type=int, default=4, help="worker processes (4)")
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="where the pages go"
    )
    parser.add_argument("--quick", action="store_true", help="every 20th locale only")
    return parser.parse_args()


def prepare(output: Path, options: argparse.Namespace) -> None:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    os.environ["DEMO_PAGES"] = str(output)
    os.environ["BIDE_DATABASE_URL"] = options.database or f"sqlite:///{output / 'demo.db'}"


def store(pages, names: list[str], output: Path) -> list:
    calls = [pages.price_list.bind(name) for name in names]
    calls += [pages.calendar_page.bind(name, 2027, 1) for name in names]
    calls.append(pages.kills_its_worker.bind(str(output / "killed.txt")))
    return pages.app.enqueue_many(calls)


def watch(app, total: int, workers: subprocess.Popen) -> float:
    from bide.jobs.job import UNFINISHED, Filter

    began = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("performed", total=total)
        while left := app.store.count(Filter(states=UNFINISHED)):
            progress.update(task, completed=total - left)
            if workers.poll() is not None:
                raise SystemExit(f"the workers ended with status {workers.returncode}")
            time.sleep(0.1)
        progress.update(task, completed=total)
    return time.monotonic() - began


def summary(pages, jobs: list, seconds: float, output: Path) -> int:
    from bide.jobs.job import Filter, State

    failed = pages.app.store.find(Filter(states=(State.FAILED,)), limit=1000)
    retried = sum(
        pages.place(f.stem.removesuffix("-prices")) % 40 == 7 for f in output.glob("*-prices.html")
    )
    first, second = (float(line) for line in (output / "killed.txt").read_text().split()[:2])
    table = Table(title="What became of the jobs")
    for column in ("done", "retried", "failed", "jobs per second", "a killed worker's job waited"):
        table.add_column(column, justify="right")
    table.add_row(
        str(len(jobs) - len(failed)), str(retried), str(len(failed)),
        f"{len(jobs) / seconds:.0f}", f"{(second - first) * 1000:.0f} ms",
    )  # fmt: skip
    console.print(table)
    for row in failed[:3]:
        console.print(f"  failed: {row.name} {row.last_error.splitlines()[0]}", markup=False)
    console.print(f"The pages: {output / 'index.html'}", soft_wrap=True)
    expected = {name for name in pages.locales() if pages.place(name) % 250 == 100}
    unexpected = [
        row for row in failed if not any(name in (row.last_error or "") for name in expected)
    ]
    return 1 if unexpected else 0


def index(output: Path) -> None:
    links = "".join(
        f'<li><a href="{html.escape(page.name)}">{html.escape(page.stem)}</a>'
        for page in sorted(output.glob("*-*.html"))
    )
    (output / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Pages</title><ul>{links}</ul>"
    )


if __name__ == "__main__":
    sys.exit(main())
