"""`manage.py bide work | start | stop | status | doctor | …`: Bide's command line for this project's App."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from bide.contrib.django.application import task_modules

#: What `--app` would have to say.
APP = "bide.contrib.django:app"
#: Options that manage.py itself has read.
_OF_DJANGO = ("--settings", "--pythonpath")


class Command(BaseCommand):
    """Passes its words on to `bide`."""

    help = "Background jobs and texts: work, start, stop, status, jobs, texts, migrate, doctor …"
    requires_system_checks: tuple[str, ...] = ()

    def run_from_argv(self, argv: list[str]) -> None:
        """From the terminal: every option is Bide's, but those that say where the settings are."""
        _command_line().main(_with_app(_without_djangos(argv[2:])), f"{argv[0]} bide")

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """For call_command("bide", "work", "-n", "2")."""
        parser.add_argument("words", nargs=argparse.REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """The same from Python: raises CommandError instead of ending the process."""
        words = _with_app([*args, *options["words"]])
        try:
            _command_line().main(words, "bide")
        except SystemExit as end:
            if end.code:
                raise CommandError(
                    f"bide {' '.join(options['words'])} ended with status {end.code}",
                    returncode=int(end.code) if isinstance(end.code, int) else 1,
                ) from end


def _command_line() -> Any:
    # A program of its own beside this floor: it is run, and nothing of it is used.
    return import_module("bide.cli.main")


def _with_app(words: list[str]) -> list[str]:
    if words[:1] in (["work"], ["workoff"], ["start"], ["restart"]):
        for module in task_modules():  # in the supervisor once, for all its workers
            import_module(module)
    return ["--app", APP, *words]


def _without_djangos(words: list[str]) -> list[str]:
    left, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in _OF_DJANGO:
            skip = True
        elif not word.startswith(tuple(f"{option}=" for option in _OF_DJANGO)):
            left.append(word)
    return left
