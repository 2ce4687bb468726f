"""What a process does not load: others' databases, tools and screens stay out of web and worker processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

#: Nothing that stores or runs jobs on SQLite needs one of these.
HEAVY = (
    "alembic", "babel", "bide.i18n", "bide.jobs.stores.memory", "bide.web", "bide.workers.background",
    "bide.workers.supervisor", "click", "http.client", "jinja2", "logging.handlers", "mako",
    "multiprocessing", "pdb", "psycopg", "psycopg2", "pymysql", "rich", "sqlalchemy.dialects.mysql",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.ext", "sqlalchemy.orm", "starlette", "unittest",
    "uvicorn", "yaml",
)  # fmt: skip

STORES_AND_RUNS = """
import bide
app = bide.App("sqlite:///{directory}/weight.db")
app.store.insert
app.worker()
"""


def loaded_by(program: str) -> set[str]:
    """The modules that a program of its own has loaded in the end."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("COVERAGE")}
    told = subprocess.run(
        [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return set(told.stdout.splitlines()[-1].split())


def of(packages: tuple[str, ...], loaded: set[str]) -> list[str]:
    return [name for name in packages if name in loaded]


def test_the_face_loads_nothing_but_itself() -> None:
    ours = {name for name in loaded_by("import bide") if name.startswith("bide")}
    assert ours == {"bide"}


def test_storing_and_running_jobs_loads_nothing_for_other_uses(tmp_path: object) -> None:
    assert of(HEAVY, loaded_by(STORES_AND_RUNS.format(directory=tmp_path))) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["work", "--help"],
        ["jobs", "list", "--help"],
        ["metrics", "--help"],
        ["texts", "import", "--help"],
    ],
)
def test_help_loads_neither_the_application_nor_a_database(arguments: list[str]) -> None:
    asked = (
        f"import bide.cli.main\ntry: bide.cli.main.main({arguments!r})\nexcept SystemExit: print()"
    )
    heavy = ("bide.app", "msgspec", "rich", "sqlalchemy")
    assert of(heavy, loaded_by(asked)) == []


@pytest.mark.parametrize(
    ("job", "options", "module"),
    [
        ("async def note(): ...", "", "bide.workers.event_loop"),
        ("class Note:\n    async def perform(self): ...", "", "bide.workers.event_loop"),
        ("def note(): ...", ", concurrency=2", "bide.workers.concurrent"),
        ("def note(): ...", "", None),
    ],
)
def test_a_supervisor_loads_what_forked_workers_run_jobs_with(
    job: str, options: str, module: str | None, tmp_path: object
) -> None:
    program = f"""
import bide
from bide.jobs.store import Wanted
from bide.workers.roster import Crew
app = bide.App("sqlite:///{tmp_path}/weight.db")
@app.job
{job}
app.supervisor([Crew(Wanted())]{options})
"""
    loops = {"bide.workers.event_loop", "bide.workers.concurrent"}
    assert loops & loaded_by(program) == ({module} if module else set())
