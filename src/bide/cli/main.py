"""The command `bide`. Subcommands are imported when they are used, so that --help is quick."""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Entry(NamedTuple):
    """A subcommand: the module that holds it, and what it does, said without importing that."""

    module: str
    help: str


#: Every subcommand, in the order of the overview.
COMMANDS = {
    "work": Entry(
        "bide.cli.work",
        "Perform jobs until stopped (Ctrl-C or SIGTERM; a second one gives the running job back).",
    ),
    "workoff": Entry("bide.cli.work", "Perform the jobs that are ready, then end."),
    "start": Entry(
        "bide.cli.daemon",
        "Start a fleet in the background; returns when it is up, with status 1 when it does not start.",
    ),
    "stop": Entry(
        "bide.cli.daemon",
        "Stop the fleet: running jobs may end within the grace time, then they are given back.",
    ),
    "restart": Entry(
        "bide.cli.daemon", "Stop the fleet if it runs, then start it with these options."
    ),
    "status": Entry(
        "bide.cli.daemon",
        "Say whether the fleet runs, which workers it has, what they run and since when.",
    ),
    "reload": Entry(
        "bide.cli.daemon",
        "Load the application's code anew: each worker is replaced when its successor is at work.",
    ),
    "jobs": Entry("bide.cli.jobs", "List, show, retry, cancel and delete jobs."),
    "queues": Entry("bide.cli.queues", "List queues; pause and resume them."),
    "workers": Entry(
        "bide.cli.queues", "List the workers that are registered, and what each runs."
    ),
    "clear": Entry("bide.cli.jobs", "Delete every job, of all states."),
    "check": Entry(
        "bide.cli.jobs",
        "Fail (status 1) when a job has waited too long; scheduled jobs do not count before their time.",
    ),
    "health": Entry(
        "bide.cli.health",
        "Fail (status 1) and say why unless jobs can be stored and, where asked, are run.",
    ),
    "stats": Entry(
        "bide.cli.stats",
        "Count what succeeded and failed, and how long it waited and ran (seconds).",
    ),
    "audit": Entry(
        "bide.cli.audit", "List what people did to jobs, queues and texts, newest first."
    ),
    "texts": Entry(
        "bide.cli.texts", "Import and export texts; see which are missing, unused or wrong."
    ),
    "metrics": Entry(
        "bide.cli.metrics",
        "Print the metrics of all queues and workers in Prometheus' text format.",
    ),
    "migrate": Entry(
        "bide.cli.database",
        "Create or upgrade Bide's tables; safe to run from several places at once.",
    ),
    "web": Entry("bide.cli.serve", "Serve the screens: jobs, queues, workers and texts."),
    "doctor": Entry(
        "bide.cli.doctor",
        "Look for what would go wrong: connections open at a fork, settings, the database.",
    ),
    "init": Entry(
        "bide.cli.init", "Begin to use Bide in this directory: settings, a first job, tables."
    ),
    "completion": Entry(
        "bide.cli.completion",
        "Print the completion script of a shell, for the place where it looks for such scripts.",
    ),
}


class Commands(click.Group):
    """A group whose commands are loaded by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The function of that name in its module."""
        if cmd_name not in COMMANDS:
            return None
        from bide.cli.sparing import spare

        spare()
        module = importlib.import_module(COMMANDS[cmd_name].module)
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The overview, without loading a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, likewise."""
        from click.shell_completion import CompletionItem

        return [
            *(
                CompletionItem(name, help=entry.help)
                for name, entry in COMMANDS.items()
                if name.startswith(incomplete)
            ),
            *click.Command.shell_complete(self, ctx, incomplete),
        ]


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--app", envvar="BIDE_APP", metavar="MODULE:NAME", help="The application, e.g. shop.tasks:app."
)
@click.version_option(package_name="bide")
@click.pass_context
def bide(ctx: click.Context, app: str | None) -> None:
    """Background jobs and translations that live in your database."""
    ctx.obj = app


def main(arguments: list[str] | None = None, name: str = "bide") -> None:
    """Run the command line; errors of Bide are told in one line (status 1), wrong usage with 2.

    `arguments` are those of this process unless given; `name` is what help texts call the program.
    """
    from bide.errors import BideError, SettingsError

    try:
        bide(arguments, prog_name=name)
    except SettingsError as error:
        for problem in error.problems:
            click.echo(f"bide: {problem}", err=True)
        sys.exit(2)
    except BideError as error:
        click.echo(f"bide: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        _end_output()
        where = f": {error.filename}" if error.filename else ""
        click.echo(f"bide: {error.strerror or error}{where}\n{_place_of(error)}".rstrip(), err=True)
        sys.exit(1)


def _place_of(error: OSError) -> str:
    """Where in the application it was raised, if it was there: a hook that a worker runs, say."""
    import sysconfig
    import traceback

    paths = sysconfig.get_paths()
    others = (os.path.dirname(os.path.dirname(__file__)), paths["stdlib"], paths["purelib"], "<")  # noqa: PTH120
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith(others)]
    return "".join(traceback.format_list(theirs[-2:]))


def _end_output() -> None:
    """What could not be written is not tried again at the end of the process."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
