"""`bide texts import`: a dry run shows what would change; conflicts are asked."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import click

from bide.cli.loading import load_texts, table_of
from bide.cli.output import confirm, print_json, printable
from bide.cli.progress import progress
from bide.errors import InvalidLocaleData
from bide.i18n.exchange.entries import Entry, cell, shown_key
from bide.i18n.exchange.formats import FORMATS, format_of
from bide.i18n.exchange.modes import MODES, Mode

if TYPE_CHECKING:
    from bide.i18n.exchange.plan import Action, Change, Plan
    from bide.i18n.translator import I18n

_LONGEST: Final = 120


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--locale", "-l", help="The language of files that do not name it.")
@click.option(
    "--format", "format_name", type=click.Choice(list(FORMATS)), help="Else by the extension."
)
@click.option("--mode", type=click.Choice(MODES), default="missing", show_default=True,
              help="Only texts that are missing; all of them, over those that stand; or as suggestions.")  # fmt: skip
@click.option("--dry-run", "-n", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--author", help="Whom the history names; else the user of this command.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask about conflicts.")
@click.option("--json", "as_json", is_flag=True, help="What is changed as JSON.")
@click.pass_obj
def import_(  # noqa: PLR0913 - one for each option
    app_name: str | None, /, *, files: tuple[str, ...], locale: str | None, format_name: str | None,
    mode: Mode, dry_run: bool, author: str | None, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    """Bring the texts of YAML, JSON, PO, CSV or XLIFF files into the database, all or none.

    A text that would take the place of others above or below it is shown and asked about.
    """
    i18n = load_texts(app_name)
    database = table_of(i18n)
    entries = [entry for file in files for entry in _read(file, format_name, locale)]
    from bide.i18n.exchange.importing import planned

    plan = planned(database, entries, mode)
    if not as_json:
        _show(plan, every=dry_run)
    if not dry_run and plan.conflicts:
        confirm(f"Replace what stands at {len(plan.conflicts)} places?", yes=yes)
    if not dry_run:
        plan = _carried_out(i18n, plan, entries, author or _user())
    if as_json:
        print_json([_told(change) for change in plan.changes])
    else:
        click.echo(f"{'would be: ' if dry_run else ''}{_summary(plan)}")


def _carried_out(i18n: I18n, plan: Plan, entries: list[Entry], author: str) -> Plan:
    from bide.i18n.editing.editor import Editor
    from bide.i18n.exchange.importing import imported
    from bide.i18n.exchange.suggesting import suggested

    with progress("importing", len(plan.changes)) as wrote:
        if plan.mode == "suggest":
            for one in suggested(Editor(i18n), plan, author, wrote):
                click.echo(printable(f"refused: {one.problem}"), err=True)
            return plan
        agreed = [(change.locale, change.key) for change in plan.conflicts]
        return imported(
            table_of(i18n), entries, plan.mode, author=author, agreed=agreed, wrote=wrote
        )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "bide texts import"


def _read(name: str, format_name: str | None, locale: str | None) -> Iterator[Entry]:
    format_ = format_of(name, format_name)
    try:
        with click.open_file(name, "rb") as file:
            yield from format_.read(cast("BinaryIO", file), name, locale)
    except OSError as error:
        raise InvalidLocaleData(name, error.strerror or str(error)) from error


_SIGNS: Final = {"add": "+", "change": "~", "replace": "!", "suggest": "?", "keep": "="}


def _show(plan: Plan, *, every: bool) -> None:
    for change in plan.changes:
        if change.action in _SIGNS and (every or change.action == "replace"):
            _show_change(change)


def _show_change(change: Change) -> None:
    name = f"{_SIGNS[change.action]} {change.locale}.{shown_key(change.key)}"
    if change.action == "keep":
        click.echo(f"{printable(name)}: kept {_short(change.old)}")
        return
    before = f"{_short(change.old)} -> " if change.old is not None else ""
    click.echo(f"{printable(name)}: {before}{_short(change.new)}")
    for key, value in change.gone:
        click.echo(f"    - {printable(shown_key(key))}: {_short(value)}")


def _short(value: Any) -> str:
    text, kind = cell(value)
    text = printable(text if kind == "yaml" else f'"{text}"')
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _summary(plan: Plan) -> str:
    words: dict[Action, str] = {
        "add": "new", "change": "changed", "replace": "replaced with what stood around them",
        "suggest": "suggested", "keep": "kept as they are", "same": "the same", "empty": "without a text",
    }  # fmt: skip
    told = [f"{plan.count(action)} {word}" for action, word in words.items() if plan.count(action)]
    return ", ".join(told) or "no texts"


def _told(change: Change) -> dict[str, Any]:
    gone = {shown_key(key): value for key, value in change.gone}
    return {**change._asdict(), "key": shown_key(change.key), "gone": gone}
