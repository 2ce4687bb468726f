"""`bide texts export`."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from bide.cli.loading import load_texts, table_of
from bide.i18n.exchange.entries import Entry
from bide.i18n.exchange.exporting import exported
from bide.i18n.exchange.formats import FORMATS, Format, format_of
from bide.i18n.inventory.catalogue import Catalogue

_LOCALE = "{locale}"


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--locale", "-l", "locales", multiple=True, help="Only this language; may be repeated."
)
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), help="Else by the extension."
)
@click.option(
    "--missing", is_flag=True, help="Only what is still to be translated, with its source."
)
@click.option("--table", is_flag=True, help="Only texts of the database, not those of files.")
@click.option("--below", metavar="KEY", default="", help="Only a namespace.")
@click.option("--source", metavar="LOCALE", help="The source language; else the default one.")
@click.pass_obj
def export(  # noqa: PLR0913 - one for each option
    app_name: str | None, /, *, file: str, locales: tuple[str, ...], format_name: str | None,
    missing: bool, table: bool, below: str, source: str | None,
) -> None:  # fmt: skip
    """Write texts to FILE: YAML, JSON, PO, CSV or XLIFF. - is the standard output.

    With {locale} in its name there is one file for each language, for example locales/{locale}.yml.
    """
    from bide.i18n.inventory.reports import locales_of

    format_ = format_of(file, format_name)
    i18n = load_texts(app_name)
    everything = Catalogue(i18n, source=source)
    catalogue = Catalogue(i18n, table_of(i18n), source=source) if table else everything
    named = locales_of(everything, locales) if locales or missing else catalogue.locales
    sources = everything.flat(everything.source)

    def entries(wanted: Iterable[str]) -> list[Entry]:
        found = exported(catalogue, wanted, sources=sources, only_missing=missing, below=below)
        return list(found)

    groups = [(file.replace(_LOCALE, each), [each]) for each in named]
    if _LOCALE not in file:
        groups = [(file, list(named))]
    if not groups:
        click.echo("no texts, no file", err=True)
    for name, wanted in groups:
        _write(name, format_, entries(wanted), everything.source)


def _write(name: str, format_: Format, entries: list[Entry], source: str) -> None:
    file = io.BytesIO()
    if not entries and format_.one_locale:
        click.echo(f"{name}: no texts", err=True)
        return
    left_out = format_.write(file, entries, source)
    _put(name, file)
    written = len(entries) - len(left_out)
    click.echo(f"{name}: {written} {'text' if written == 1 else 'texts'}", err=True)
    if left_out:
        shown = ", ".join(left_out[:10])
        click.echo(f"{format_.name} has no room for {len(left_out)} values: {shown}", err=True)


def _put(name: str, content: io.BytesIO) -> None:
    """The whole file or none: what stood there before stays until the new one is complete."""
    if name == "-":
        sys.stdout.buffer.write(content.getvalue())
        return
    path, draft = Path(name), Path(f"{name}.{os.getpid()}.part")
    try:
        draft.write_bytes(content.getvalue())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise click.ClickException(f"{name} could not be written: {error}") from error
