"""The demo's jobs: a price list and a calendar page for every locale of the CLDR, each in its own language.

The words come from the database, and from the file below it where the database has none. Some jobs fail on purpose: a few need a second try, a few never succeed, and one kills its worker.
"""

from __future__ import annotations

import calendar
import html
import os
import signal
import time
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, get_day_names, get_month_names
from babel.localedata import locale_identifiers
from babel.numbers import format_currency, get_territory_currencies

import bide
from bide.i18n import Chain, Database, Fallbacks, I18n, Simple, t
from bide.i18n.exchange.entries import Entry
from bide.i18n.exchange.importing import imported
from bide.jobs.retries import constant

HERE = Path(__file__).parent
app = bide.App.from_env()
edited = Database(app)
# A locale of the CLDR without words of its own speaks its parent's, at last English.
i18n = I18n(
    Fallbacks(Chain(edited, Simple(HERE / "locales" / "words.yml"))),
    default_locale="en",
    fallbacks=["en"],
    enforce_available_locales=False,
)
app.use(i18n)
pages = Path(os.environ.get("DEMO_PAGES", "demo-output"))

GOODS = {
    "☕": Decimal("3.20"),
    "📖": Decimal("14.99"),
    "🚲": Decimal("1249.00"),
    "🏠": Decimal(385000),
}
PAGE = """<!doctype html>
<html lang="{lang}" dir="{direction}"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px system-ui;margin:2em auto;max-width:40em}}td,th{{padding:.2em .8em;text-align:end}}</style>
<h1>{title}</h1>{body}</html>
"""


class OutOfPaper(Exception):
    """The printer of this demo needs a second try now and then."""


@cache
def locales() -> list[str]:
    """Every locale of the CLDR, by its identifier."""
    return sorted(locale_identifiers())


@cache
def place(identifier: str) -> int:
    """Where a locale stands among them."""
    return locales().index(identifier)


@app.job(queue="prices", backoff=constant(1))
def price_list(identifier: str) -> None:
    """Write the price list; every 40th locale fails at its first attempt."""
    if place(identifier) % 40 == 7 and bide.current_job().attempts == 0:
        raise OutOfPaper(f"no paper for {identifier}, try again")
    locale = Locale.parse(identifier)
    currency = currency_of(locale)
    rows = "".join(
        f"<tr><td>{what}<td>{html.escape(format_currency(price, currency, locale=locale))}"
        for what, price in GOODS.items()
    )
    goods = html.escape(t("goods", count=len(GOODS)))
    write(locale, identifier, "prices", f"<p>{goods}</p><table>{rows}</table>")


@app.job(queue="calendars", max_attempts=2, backoff=constant(1))
def calendar_page(identifier: str, year: int, month: int) -> None:
    """Write a page of the calendar; every 250th locale never works."""
    if place(identifier) % 250 == 100:
        raise LookupError(f"the calendar of {identifier} was eaten by the dog")
    locale = Locale.parse(identifier)
    first = locale.first_week_day
    days = get_day_names("abbreviated", locale=locale)
    head = "".join(f"<th>{html.escape(days[(first + i) % 7])}" for i in range(7))
    weeks = calendar.Calendar(first).monthdayscalendar(year, month)
    body = "".join("<tr>" + "".join(f"<td>{day or ''}" for day in week) for week in weeks)
    title = get_month_names("wide", "stand-alone", locale=locale)[month]
    caption = format_date(date(year, month, 1), "long", locale=locale)
    write(
        locale, identifier, "calendar",
        f"<h2>{html.escape(title)}</h2><p>{html.escape(caption)}, {html.escape(days_of(weeks))}</p>"
        f"<table>{head}{body}</table>",
    )  # fmt: skip


def days_of(weeks: list[list[int]]) -> str:
    """How many days a month has, in the plural forms of its language."""
    return t("days", count=max(day for week in weeks for day in week))


@app.job(queue="words")
def say_hello(told: str) -> None:
    """Write down who said which words, and when."""
    with Path(told).open("a", encoding="utf-8") as file:
        file.write(f"{os.getpid()} {time.monotonic()} {t('hello')}\n")
    time.sleep(0.01)


@app.job(queue="calendars", priority=-1)
def kills_its_worker(told: str) -> None:
    """Ends its own process at the first attempt; both attempts write down when they began."""
    with Path(told).open("a") as file:
        file.write(f"{time.monotonic()}\n")
    if bide.current_job().crashes == 0:
        os.kill(os.getpid(), signal.SIGKILL)


def currency_of(locale: Locale) -> str:
    """What people pay with where the locale is spoken."""
    likely = get_global("likely_subtags").get(locale.language, "")
    territory = locale.territory or likely.rpartition("_")[2]
    return (get_territory_currencies(territory) or ["EUR"])[-1] if territory else "EUR"


def tag(identifier: str) -> str:
    """A locale as texts name it: de-AT."""
    return identifier.replace("_", "-")


def name_the_pages(identifiers: list[str]) -> int:
    """Put the name of each locale, in its own language, into the database."""
    names = [
        Entry(tag(each), "page.name", Locale.parse(each).get_display_name() or each)
        for each in identifiers
    ]
    return imported(edited, names, "overwrite", author="demo").count("add")


def write(locale: Locale, identifier: str, kind: str, body: str) -> None:
    """One page, whole or not at all."""
    title = html.escape(f"{t(kind)}: {t('page.name')}")
    page = PAGE.format(
        lang=identifier.replace("_", "-"), direction=locale.text_direction, title=title, body=body
    )
    path = pages / f"{identifier}-{kind}.html"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(page, encoding="utf-8")
    draft.replace(path)
