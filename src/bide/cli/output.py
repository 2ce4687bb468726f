"""What commands print: tables for people, JSON for programs; nothing that a job stored can colour or break it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TextIO

import click


def printable(value: Any) -> str:
    """`value` as one line without control characters; moments to the second, None as nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    text = str(value)
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return " " if character in "\n\t" else character.encode("unicode_escape").decode()


def print_json(value: Any) -> None:
    """One JSON document; moments in ISO 8601, UTC."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=_plain))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, nothing: str) -> None:
    """A table on a terminal, tab-separated lines elsewhere; `nothing` when there are no rows."""
    lines = [[printable(cell) for cell in row] for row in rows]
    if not lines:
        click.echo(nothing)
    elif is_terminal(sys.stdout):
        _print_rich(columns, lines)
    else:
        for line in [list(columns), *lines]:
            click.echo("\t".join(line))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits there; a stream that was closed before the start is None."""
    return stream is not None and stream.isatty()


def _print_rich(columns: Sequence[str], lines: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column)
    for line in lines:
        table.add_row(*(Text(cell, overflow="ellipsis") for cell in line))
    Console().print(table)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be undone; ends with status 1 on no."""
    if yes:
        return
    if not is_terminal(sys.stdin):
        raise click.UsageError(f"{question} Nobody is there to answer; say --yes.")
    click.confirm(question, abort=True)
