"""The command `bide`. Subcommands are imported when they are used, so that --help is quick."""

from __future__ import annotations

import importlib
import sys

import click

#: Every subcommand and the module that holds it.
COMMANDS = {
    "work": "bide.cli.work",
    "workoff": "bide.cli.work",
    "start": "bide.cli.daemon",
    "stop": "bide.cli.daemon",
    "restart": "bide.cli.daemon",
    "status": "bide.cli.daemon",
    "reload": "bide.cli.daemon",
    "jobs": "bide.cli.jobs",
    "queues": "bide.cli.queues",
    "workers": "bide.cli.queues",
    "clear": "bide.cli.jobs",
    "check": "bide.cli.jobs",
    "health": "bide.cli.health",
    "stats": "bide.cli.stats",
    "audit": "bide.cli.audit",
    "texts": "bide.cli.texts",
    "metrics": "bide.cli.metrics",
    "migrate": "bide.cli.database",
    "web": "bide.cli.serve",
    "doctor": "bide.cli.doctor",
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
        module = importlib.import_module(COMMANDS[cmd_name])
        command: click.Command = getattr(module, cmd_name)
        return command


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
