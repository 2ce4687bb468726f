"""Numbers, money, lists and relative time in the reader's language, by Babel's CLDR data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from babel import Locale, UnknownLocaleError, dates, lists, numbers

from bide import clock
from bide.errors import InvalidLocale, InvalidTextArgument
from bide.i18n.locales import parents

Number = int | float | Decimal


@lru_cache(maxsize=512)
def babel_locale(locale: str) -> Locale:
    """Babel's data for a locale or its nearest known parent. Raises InvalidLocale."""
    for tag in parents(locale):
        try:
            return Locale.parse(tag.replace("_", "-"), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise InvalidLocale(locale)


def checked_number(value: Any) -> Number:
    """The value, if it is a number. Raises InvalidTextArgument."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise InvalidTextArgument(f"{value!r} is no number; pass an int, a float or a Decimal")
    return value


def number(value: Number, locale: str, *, pattern: str | None = None) -> str:
    """A number with the locale's separators; `pattern` is a CLDR number pattern such as `0.00`."""
    return numbers.format_decimal(checked_number(value), pattern, babel_locale(locale))


def money(value: Number, currency: str, locale: str, *, pattern: str | None = None) -> str:
    """An amount with its currency, e.g. 12.5 EUR in German: `12,50 €`. `currency` is an ISO code."""
    if not (len(str(currency)) == 3 and str(currency).isalpha()):
        raise InvalidTextArgument(f"{currency!r} is no currency; pass an ISO code such as 'EUR'")
    return numbers.format_currency(
        checked_number(value), currency.upper(), pattern, babel_locale(locale)
    )


def percent(value: Number, locale: str, *, pattern: str | None = None) -> str:
    """A share as percentage: 0.25 is `25 %` in German."""
    return numbers.format_percent(checked_number(value), pattern, babel_locale(locale))


def enumeration(
    items: Sequence[object],
    locale: str,
    *,
    style: Literal["standard", "or", "unit"] = "standard",
) -> str:
    """Several things in a row: `a, b and c`; with style "or": `a, b or c`."""
    return lists.format_list([str(item) for item in items], style, babel_locale(locale))


def relative_time(moment: datetime | timedelta, locale: str, *, now: datetime | None = None) -> str:
    """How far from now: `in 3 hours`, `2 days ago`. A datetime must be aware."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise InvalidTextArgument(f"{moment!r} has no time zone; pass an aware datetime")
        moment = moment - (now or clock.utc_now())
    return dates.format_timedelta(moment, add_direction=True, locale=babel_locale(locale))
