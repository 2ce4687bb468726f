"""`bide texts`: bring texts in and out, and look what is missing, unused or wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bide.cli.loading import load_texts
from bide.cli.output import print_json, print_table
from bide.cli.texts_export import export
from bide.cli.texts_import import import_
from bide.i18n.exchange.entries import shown_key
from bide.i18n.inventory.catalogue import Catalogue
from bide.i18n.inventory.usage import found_in


@click.group()
def texts() -> None:
    """Import and export texts; see which are missing, unused or wrong."""


texts.add_command(export)
texts.add_command(import_)

_JSON = click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")


def _looking(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that looks at texts."""
    for option in (
        click.pass_obj,
        _JSON,
        click.option(
            "--source", metavar="LOCALE", help="The source language; else the default one."
        ),
    ):
        command = option(command)
    return command


_LOCALES = click.option(
    "--locale", "-l", "locales", multiple=True, help="Only this language; may be repeated."
)


@texts.command()
@_LOCALES
@click.option("--strict", is_flag=True, help="End with status 1 when anything is missing.")
@_looking
def missing(
    app_name: str | None, /, *, source: str | None, as_json: bool, locales: tuple[str, ...], strict: bool
) -> None:  # fmt: skip
    """List texts that the source language has and others have not, and keys asked for in vain."""
    from bide.i18n.inventory import reports

    i18n = load_texts(app_name)
    catalogue = Catalogue(i18n, source=source)
    named = reports.locales_of(catalogue, locales)
    found = [*reports.missing(catalogue, named)]
    asked = [*reports.asked(i18n, catalogue, named if locales else catalogue.locales)]
    if as_json:
        both: list[reports.MissingText | reports.AskedText] = [*found, *asked]
        print_json([{**one._asdict(), "key": shown_key(one.key)} for one in both])
    else:
        rows = [(one.locale, shown_key(one.key), _short(one.source), "") for one in found]
        rows += [(one.locale, shown_key(one.key), "", f"{one.place} {one.last_seen:%Y-%m-%d %H:%M}")
                 for one in asked]  # fmt: skip
        columns = ("locale", "key", "source", "asked for at")
        print_table(columns, rows, nothing="Nothing is missing.")
    sys.exit(1 if strict and (found or asked) else 0)


@texts.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--keep", multiple=True, metavar="KEY", help="A key or namespace that is used elsewhere."
)
@click.option("--strict", is_flag=True, help="End with status 1 when anything is unused.")
@_looking
def unused(
    app_name: str | None, /, *, source: str | None, as_json: bool,
    paths: tuple[Path, ...], keep: tuple[str, ...], strict: bool,
) -> None:  # fmt: skip
    """List keys that no code names. PATHS: folders with Python code and templates (none: this one).

    A key that a program computes from parts cannot be found; where a whole key is computed is told.
    """
    from bide.i18n.inventory import reports

    i18n = load_texts(app_name)
    usage, seen = found_in(paths or [Path()]), reports.used(i18n)
    found = [
        shown_key(key)
        for key in reports.unused(Catalogue(i18n, source=source), usage, keep, seen)
    ]  # fmt: skip
    if as_json:
        print_json({"unused": found, "computed": usage.computed})
    else:
        print_table(("key",), [(key,) for key in found], nothing="Every key is used.")
        if usage.computed:
            click.echo(f"Keys are computed at {', '.join(usage.computed[:10])}", err=True)
    sys.exit(1 if strict and found else 0)


@texts.command()
@_LOCALES
@click.option("--strict", is_flag=True, help="End with status 1 for warnings too.")
@_looking
def check(
    app_name: str | None, /, *, source: str | None, as_json: bool, locales: tuple[str, ...], strict: bool
) -> None:  # fmt: skip
    """Compare placeholders, plural forms and markup with the source language; status 1 for errors."""
    from bide.i18n.inventory import reports

    catalogue = Catalogue(load_texts(app_name), source=source)
    named = reports.locales_of(catalogue, locales)
    found = [*reports.checked(catalogue, named if locales else catalogue.locales)]
    if as_json:
        print_json(
            [
                {"locale": one.locale, "key": shown_key(one.key), "value": one.value, "source": one.source,
                 **one.finding._asdict(), "message": one.finding.message}
                for one in found
            ]
        )  # fmt: skip
    else:
        rows = [
            (one.finding.severity, one.locale, shown_key(one.key), one.finding.message)
            for one in found
        ]
        print_table(("severity", "locale", "key", "finding"), rows, nothing="Nothing is wrong.")
    wrong = [one for one in found if strict or one.finding.severity == "error"]
    sys.exit(1 if wrong else 0)


@texts.command()
@_LOCALES
@_looking
def stats(
    app_name: str | None, /, *, source: str | None, as_json: bool, locales: tuple[str, ...]
) -> None:  # fmt: skip
    """Show how far each language is."""
    from bide.i18n.inventory import reports

    catalogue = Catalogue(load_texts(app_name), source=source)
    named = reports.locales_of(catalogue, locales)
    found = [*reports.progress(catalogue, named if locales else catalogue.locales)]
    if as_json:
        print_json([{**one._asdict(), "percent": one.percent} for one in found])
        return
    print_table(
        ("locale", "texts", "translated", "missing", "percent", "errors", "warnings"),
        [
            (one.locale, one.texts, one.translated, one.wanted - one.translated, f"{one.percent:g} %",
             one.errors, one.warnings)
            for one in found
        ],
        nothing="No texts.",
    )  # fmt: skip


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"
