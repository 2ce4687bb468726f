"""`bide init`: the settings and a first job of a project, and its tables."""

from __future__ import annotations

import keyword
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from bide.cli.output import is_terminal
from bide.errors import BideError

DEFAULT_URL = "sqlite:///bide.db"
PYPROJECT = Path("pyproject.toml")

TASKS = '''"""Jobs of this project. Workers import this module: `bide work`."""

import bide

app = bide.App.from_env()  # settings: [tool.bide] in pyproject.toml, BIDE_* variables


@app.job
def hello(name: str) -> None:
    """`hello.delay("Ada")` stores it, a worker performs it."""
    print(f"Hello, {name}!")
'''


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written. Nothing of it exists yet."""

    module: str
    path: Path
    url: str
    #: The text of pyproject.toml so far.
    pyproject: str

    @classmethod
    def of(cls, module: str, url: str) -> Plan:
        """Raises click.UsageError when something is there already or an answer is wrong."""
        if problem := _problem_with(module):
            raise click.UsageError(f"--module {module!r} {problem}; e.g. --module shop.tasks")
        path = path_of(module)
        if path.exists():
            raise click.UsageError(
                f"{path} exists and stays as it is; name another module, e.g. --module {module}_jobs, "
                f'or write app = "{module}:app" below [tool.bide] in pyproject.toml yourself'
            )
        text = _pyproject()
        if "bide" in _tools(text):
            raise click.UsageError(
                "pyproject.toml has [tool.bide] already; `bide migrate` comes next"
            )
        return cls(module, path, _checked(url), text)

    def table(self) -> str:
        """The settings; a URL with a password is kept out of files that are committed."""
        lines = ["[tool.bide]", f'app = "{self.module}:app"']
        if not self.has_password:
            lines.append(f"database_url = {_quoted(self.url)}")
        return "\n".join(lines) + "\n"

    def _behind_what_is_there(self) -> str:
        """The settings, parted from what stands before them by an empty line."""
        if not self.pyproject:
            return self.table()
        return ("\n" if self.pyproject.endswith("\n") else "\n\n") + self.table()

    @property
    def has_password(self) -> bool:
        """Whether the URL must not be written down."""
        from bide.db.urls import url_of

        return bool(url_of(self.url).password)

    def write(self) -> None:
        """The module, which is never overwritten, then the settings."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("x", encoding="utf-8") as file:
            file.write(TASKS)
        click.echo(f"wrote {self.path}")
        with PYPROJECT.open("ab") as file:
            file.write(self._behind_what_is_there().encode())
        click.echo(f"wrote [tool.bide] in {PYPROJECT}")


@click.command()
@click.option("--database-url", metavar="URL", envvar="BIDE_DATABASE_URL",
              help=f"Where jobs and texts are kept.  [default: {DEFAULT_URL}]")  # fmt: skip
@click.option("--module", metavar="NAME", help="The module for jobs, e.g. shop.tasks.")
@click.option("--migrate/--no-migrate", default=True, help="Make the tables.  [default: migrate]")
@click.option("-y", "--yes", is_flag=True, help="Do not ask; what is not given takes its default.")
def init(*, database_url: str | None, module: str | None, migrate: bool, yes: bool) -> None:
    """Begin to use Bide in this directory: settings, a first job, tables. Overwrites nothing."""
    if not yes and not is_terminal(sys.stdin):
        raise click.UsageError(
            "Nobody is there to answer; say --yes, and --database-url, --module."
        )
    if not yes:
        module = module or click.prompt("Module for your jobs", default_module())
        database_url = database_url or click.prompt("Database", DEFAULT_URL)
    plan = Plan.of(module or default_module(), database_url or DEFAULT_URL)
    try:
        plan.write()
    except OSError as error:
        raise click.ClickException(f"{error.strerror}: {error.filename}") from None
    if migrate:
        _migrate(plan.url)
    _tell_what_comes_next(plan, migrate)


def _problem_with(module: str) -> str | None:
    parts = module.split(".")
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return "is no module"
    if parts[0] in (*sys.stdlib_module_names, "bide"):
        return f"would hide the module {parts[0]!r} that is there already"
    return None


def default_module() -> str:
    """`tasks`, inside the project's package if it can be told which that is."""
    name = _project_name().replace("-", "_").replace(".", "_")
    return f"{name}.tasks" if name and path_of(name + ".tasks").parent.is_dir() else "tasks"


def path_of(module: str) -> Path:
    """Where the file of a module belongs: below src, where the project has that."""
    parts = Path(*module.split(".")).with_suffix(".py")
    below = Path("src") / parts
    return below if len(parts.parts) > 1 and (Path("src") / parts.parts[0]).is_dir() else parts


def _project_name() -> str:
    return str(_read(_pyproject()).get("project", {}).get("name", ""))


def _pyproject() -> str:
    if not PYPROJECT.exists():
        return ""
    try:
        return PYPROJECT.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise click.UsageError(f"pyproject.toml is not UTF-8 ({error}); mend it first") from None


def _tools(text: str) -> dict[str, Any]:
    tools: dict[str, Any] = _read(text).get("tool", {})
    return tools


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise click.UsageError(f"pyproject.toml cannot be read: {error}; mend it first") from None


def _checked(url: str) -> str:
    from bide.db.drivers import kind_of
    from bide.db.urls import url_of

    kind_of(url_of(url))
    return url


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _migrate(url: str) -> None:
    from bide.app import App

    app = App.from_env(database_url=url)
    try:
        app.migrate()
    except BideError as error:
        raise click.ClickException(
            f"the files are written, but there are no tables yet: {error}\n"
            "Run `bide migrate` when the database can be reached."
        ) from None
    finally:
        app.close()
    click.echo(f"made the tables in {app.shown_url}")


def _tell_what_comes_next(plan: Plan, migrated: bool) -> None:
    if plan.has_password:
        click.echo(
            "The URL holds a password and was not written down; set BIDE_DATABASE_URL to it."
        )
    if not migrated:
        click.echo("Make the tables: bide migrate")
    click.echo(
        "Store a job and perform it:\n"
        f"  python -c 'from {plan.module} import hello; hello.delay(\"Ada\")'\n"
        "  bide workoff"
    )
