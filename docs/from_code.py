"""Reference lists made from the code itself: ```{from-code} errors``` in a page."""

from __future__ import annotations

import ast
import inspect
import logging
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from bide import errors
from bide.cli.main import bide
from bide.log import LINES
from bide.workers.metrics import METRICS
from bide.workers.settings import Settings


def list_of_errors() -> Iterator[str]:
    """Every error class: what it is, what it means."""
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, BaseException):
            parents = " and ".join(f"`{parent.__name__}`" for parent in value.__bases__)
            yield f"`{name}`"
            yield f": {' '.join(inspect.getdoc(value).split())}\n  (below {parents})\n"


def list_of_settings() -> Iterator[str]:
    """Every setting: meaning, default, the variable that sets it."""
    for setting in fields(Settings):
        if "help" in setting.metadata:
            yield f"`{setting.name}`"
            yield f": {setting.metadata['help']}"
            yield f"  `BIDE_{setting.name.upper()}`, for example `{setting.metadata['example']}`\n"


def list_of_events() -> Iterator[str]:
    """Every event that the code emits: its facts, and the level of its log line if it has one."""
    for name, facts in sorted(_emitted().items()):
        level = (
            f"logged as {logging.getLevelName(LINES[name][0])}" if name in LINES else "not logged"
        )
        told = ", ".join(f"`{fact}`" for fact in sorted(facts))
        yield f"- `{name}` ({told}): {level}" if told else f"- `{name}`: {level}"


def _emitted() -> dict[str, set[str]]:
    """The names that stand in calls of `emit`, with the keywords given there."""
    found: dict[str, set[str]] = {}
    for module in Path(errors.__file__).parent.rglob("*.py"):
        for call in filter(_emits, ast.walk(ast.parse(module.read_text()))):
            facts = found.setdefault(call.args[0].value, set())
            facts.update(keyword.arg for keyword in call.keywords if keyword.arg)
    return found


def _emits(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not node.args:
        return False
    called = getattr(node.func, "attr", getattr(node.func, "id", ""))
    return called == "emit" and isinstance(node.args[0], ast.Constant)


def list_of_commands() -> Iterator[str]:
    """Every command with its own help."""
    root = click.Context(bide, info_name="bide")
    for name in bide.list_commands(root):
        command = bide.get_command(root, name)
        text = command.get_help(click.Context(command, info_name=name, parent=root))
        yield f"`bide {name}`"
        yield ": ```text\n" + "\n".join(f"  {line}" for line in text.splitlines()) + "\n  ```\n"


def list_of_metrics() -> Iterator[str]:
    """Every metric: its kind, what it means."""
    for name, (kind, meaning) in METRICS.items():
        shown = f"{name}_total" if kind == "counter" else name
        yield f"`{shown}` ({kind})"
        yield f": {meaning}\n"


LISTS = {
    "errors": list_of_errors,
    "settings": list_of_settings,
    "events": list_of_events,
    "commands": list_of_commands,
    "metrics": list_of_metrics,
}


class FromCode(Directive):
    """The directive: its argument names one of LISTS."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        lines = "\n".join(LISTS[self.arguments[0]]()).split("\n")
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source="from-code"), 0, node)
        return node.children
