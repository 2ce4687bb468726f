"""Dates and times in German."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from bide.errors import InvalidTextArgument, MissingTranslationData
from bide.i18n import I18n, Key

MONTHS = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember"
DAYS = "Sonntag Montag Dienstag Mittwoch Donnerstag Freitag Samstag"
GERMAN: dict[str, Any] = {
    "date": {
        "formats": {"default": "%d.%m.%Y", "short": "%d. %b", "long": "%d. %B %Y"},
        "day_names": DAYS.split(),
        "abbr_day_names": [name[:2] for name in DAYS.split()],
        "month_names": [None, *MONTHS.split()],
        "abbr_month_names": [None, *(name[:3] for name in MONTHS.split())],
    },
    "time": {
        "formats": {
            "default": "%a, %d. %b %Y %H:%M:%S %z",
            "short": "%d. %b %H:%M",
            "long": "%d. %B %Y %H:%M",
        },
        "am": "am",
        "pm": "pm",
    },
}
DAY = date(2008, 3, 1)
MORNING = datetime(2008, 3, 1, 6, tzinfo=UTC)
EVENING = datetime(2008, 3, 1, 18, tzinfo=UTC)


class MomentsContract:
    """What `l` says."""

    @pytest.fixture
    def german(self, i18n: I18n) -> I18n:
        """German names, and a locale without any."""
        i18n.store("de", GERMAN)
        i18n.store("en", {"a": "b"})
        return i18n

    @pytest.mark.parametrize(
        ("moment", "name", "text"),
        [
            (DAY, "short", "01. Mär"),
            (DAY, "long", "01. März 2008"),
            (DAY, "default", "01.03.2008"),
            (MORNING, "short", "01. Mär 06:00"),
            (MORNING, "long", "01. März 2008 06:00"),
            (MORNING, "default", "Sa, 01. Mär 2008 06:00:00 +0000"),
        ],
    )
    def test_formats_have_names(self, german: I18n, moment: date, name: str, text: str) -> None:
        """I18N-048..050, I18N-069..071, I18N-095, I18N-096, I18N-228."""
        assert german.l(moment, format=Key(name), locale="de") == text
        assert german.l(moment, format=name, locale="de") == text

    @pytest.mark.parametrize("moment", [DAY, MORNING])
    @pytest.mark.parametrize(
        ("pattern", "text"),
        [
            ("%A", "Samstag"), ("%^A", "SAMSTAG"), ("%a", "Sa"), ("%^a", "SA"), ("%B", "März"),
            ("%^B", "MÄRZ"), ("%b", "Mär"), ("%^b", "MÄR"), ("%-d. %^B", "1. MÄRZ"),
            ("%p %P", "AM am"), ("%x is odd: %Q1 %f", None), ("%%B", "%B"),
        ],
    )  # fmt: skip
    def test_names_of_days_and_months_are_german(
        self, german: I18n, moment: date, pattern: str, text: str | None
    ) -> None:
        """I18N-051..060, I18N-062, I18N-072..080, I18N-084, I18N-097..105, I18N-109, I18N-230."""
        found = german.l(moment, format=pattern, locale="de")
        assert text is None or found == text

    def test_morning_and_evening_have_names(self, german: I18n) -> None:
        """I18N-082, I18N-083, I18N-107, I18N-108."""
        shown = [german.l(moment, format="%p %P", locale="de") for moment in (MORNING, EVENING)]
        assert shown == ["AM am", "PM pm"]
        assert german.l(time(18, 5), format="%H:%M %P", locale="de") == "18:05 pm"

    def test_missing_names_give_the_message(self, german: I18n) -> None:
        """I18N-061, I18N-081, I18N-106."""
        for moment in (DAY, MORNING):
            text = german.l(moment, format="%A %B", locale="en")
            assert text == "Translation missing: en.date.day_names"

    def test_a_missing_format_raises(self, german: I18n) -> None:
        """I18N-067, I18N-085, I18N-110, I18N-199."""
        for moment, kind in ((DAY, "date"), (MORNING, "time")):
            with pytest.raises(MissingTranslationData, match=rf"de\.{kind}\.formats\.missing"):
                german.l(moment, format=Key("missing"), locale="de")

    def test_what_is_no_moment_is_refused(self, german: I18n) -> None:
        """I18N-064..066, I18N-503..505."""
        assert german.l(None, default="-", locale="de") == "-"
        assert german.l(None, default=None, locale="de") is None
        for wrong in (None, object(), "2008-03-01", True):
            with pytest.raises(InvalidTextArgument, match="Date, DateTime or Time"):
                german.l(wrong, locale="de")

    def test_a_format_is_not_worn_out(self, german: I18n) -> None:
        """I18N-068."""
        months = [date(2008, month, 1) for month in (3, 4, 3)]
        shown = [german.l(day, format=Key("long"), locale="de") for day in months]
        assert shown == ["01. März 2008", "01. April 2008", "01. März 2008"]
