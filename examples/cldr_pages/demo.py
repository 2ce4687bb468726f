"""bin/demo: stores about two thousand jobs, has forked workers perform them, and shows what became of them.

At the end it edits a text, and shows how soon every worker says the new words.
"""

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
    console.print(f"Named [b]{pages.name_the_pages(names)}[/b] languages in the table of texts")
    jobs = store(pages, names, output)
    console.print(f"Stored [b]{len(jobs)}[/b] jobs in {pages.app.settings.database_url}")
    command = [sys.executable, "-m", "bide.cli", "--app", "pages:app", "work"]
    log = (output / "workers.log").open("w")
    workers = subprocess.Popen(
        [*command, "-n", str(options.workers)], cwd=HERE, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        seconds = watch(pages.app, len(jobs), workers)
        spoken = edit(pages, output / "said.txt", options.workers)
    finally:
        workers.send_signal(signal.SIGTERM)
        workers.wait(30)
    index(output)
    status = summary(pages, jobs, seconds, output) or told(spoken)
    if options.web:
        subprocess.run([*command[:-1], "web"], cwd=HERE, check=False)
    return status


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description=__doc__)
    parser.add_argument(
        "--database", help="postgresql://… or mysql://…; default: a fresh SQLite file"
    )
    parser.add_argument("--workers", type=int, default=4, help="worker processes (4)")
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="where the pages go"
    )
    parser.add_argument("--web", action="store_true", help="end with the screens open")
    parser.add_argument("--quick", action="store_true", help="every 20th locale only")
    return parser.parse_args()


def prepare(output: Path, options: argparse.Namespace) -> None:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    os.environ["DEMO_PAGES"] = str(output)
    os.environ["BIDE_DATABASE_URL"] = options.database or f"sqlite:///{output / 'demo.db'}"


def store(pages, names: list[str], output: Path) -> list:
    jobs = []
    for name in names:
        with pages.i18n.with_locale(pages.tag(name)):  # a job speaks the language it was stored in
            calls = [pages.price_list.bind(name), pages.calendar_page.bind(name, 2027, 1)]
            jobs += pages.app.enqueue_many(calls)
    return [*jobs, pages.kills_its_worker.delay(str(output / "killed.txt"))]


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


def edit(pages, said: Path, workers: int) -> dict[int, float]:
    """Change a word while all workers are speaking; after how many seconds each said the new one."""
    old, new = pages.i18n.t("hello"), "Good morning, everybody"

    def speakers(words: str) -> dict[int, float]:
        first: dict[int, float] = {}
        lines = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
        for pid, at, spoken in (line.split(" ", 2) for line in lines if line.count(" ") >= 2):
            if spoken == words:
                first.setdefault(int(pid), float(at))
        return first

    def keep_speaking(words: str, of: set[int]) -> None:
        deadline = time.monotonic() + 30
        while len(speakers(words)) < workers or not of <= speakers(words).keys():
            if time.monotonic() > deadline:
                return
            if pages.app.store.count(Filter(states=UNFINISHED)) < 10 * workers:
                pages.app.enqueue_many(pages.say_hello.bind(str(said)) for _ in range(40 * workers))
            time.sleep(0.02)

    from bide.jobs.job import UNFINISHED, Filter

    keep_speaking(old, set())
    pages.i18n.store("en", {"hello": new}, author="demo")
    edited = time.monotonic()
    keep_speaking(new, set(speakers(old)))
    found = speakers(new)
    return {pid: found.get(pid, float("inf")) - edited for pid in sorted(speakers(old))}


def told(spoken: dict[int, float]) -> int:
    table = Table(title="A text was edited while they worked")
    for column in ("worker", "said the new words after"):
        table.add_column(column, justify="right")
    for pid, seconds in spoken.items():
        table.add_row(str(pid), f"{seconds * 1000:.0f} ms")
    console.print(table)
    return 0 if spoken and max(spoken.values()) < float("inf") else 1


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
    if len(failed) > 3:
        console.print(f"  and {len(failed) - 3} more")
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
