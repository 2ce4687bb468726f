"""Charts as inline SVG: shapes with attributes only, since no style may stand in a page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import floor, log10
from typing import Final, NamedTuple

from bide.jobs.statistics import Statistic, start_of

WIDTH: Final = 600
HEIGHT: Final = 130
_LEFT, _TOP, _BOTTOM = 64, 8, 18

#: What can be looked at: its length, and how much one bar stands for.
SPANS: Final = {
    "1h": (timedelta(hours=1), timedelta(minutes=1)),
    "6h": (timedelta(hours=6), timedelta(minutes=5)),
    "1d": (timedelta(days=1), timedelta(minutes=20)),
    "7d": (timedelta(days=7), timedelta(hours=3)),
}


class Bar(NamedTuple):
    """A step of time: what succeeded, with what failed on top of it."""

    x: float
    width: float
    y: float
    height: float
    bad_y: float
    bad_height: float
    moment: datetime
    good: int
    bad: int


class Chart(NamedTuple):
    """Shapes and the labels beside them: `lines` (y, value) and `ticks` (x, moment)."""

    lines: list[tuple[float, float]]
    ticks: list[tuple[float, datetime]]
    bars: list[Bar]
    path: str = ""
    area: str = ""
    highest: float = 0.0


class Series(NamedTuple):
    """Statistics in equal steps, with the steps in which nothing happened."""

    start: datetime
    step: timedelta
    steps: list[Statistic]

    @property
    def total(self) -> Statistic:
        """All of it together."""
        total = Statistic(self.start, "", "")
        for one in self.steps:
            total = total.plus(one)
        return total


def series(rows: Sequence[Statistic], now: datetime, span: str) -> Series:
    """The last steps of a span, the current one among them."""
    length, step = SPANS[span]
    start = start_of(now, step) - length + step
    found = {row.minute: row for row in rows}
    moments = [start + step * n for n in range(length // step)]
    return Series(start, step, [found.get(one) or Statistic(one, "", "") for one in moments])


def throughput(series: Series) -> Chart:
    """A bar for each step: attempts that succeeded and that failed."""
    top = rounded_up(max((one.attempts for one in series.steps), default=0) or 1)
    top += top % 2  # half of it has a label, and there are no half attempts
    width = (WIDTH - _LEFT) / len(series.steps)
    bars = []
    for place, one in enumerate(series.steps):
        good, bad = _scaled(one.succeeded, top), _scaled(one.failed_attempts, top)
        base = HEIGHT - _BOTTOM
        bars.append(
            Bar(
                round(_LEFT + place * width + width * 0.1, 2), round(width * 0.8, 2),
                round(base - good, 2), good, round(base - good - bad, 2), bad,
                one.minute, one.succeeded, one.failed_attempts,
            )
        )  # fmt: skip
    return Chart(_lines(top), _ticks(series), bars, highest=top)


def run_times(series: Series) -> Chart:
    """A line of how long most attempts took (95 of 100), where any ran."""
    values = [one.run_percentile(0.95) for one in series.steps]
    top = rounded_up(max((value for value in values if value is not None), default=0) or 1)
    width, base = (WIDTH - _LEFT) / len(values), HEIGHT - _BOTTOM
    path, area, run = [], [], list[str]()
    for place, value in enumerate([*values, None]):
        if value is not None:
            run.append(f"{_LEFT + (place + 0.5) * width:.1f} {base - _scaled(value, top):.1f}")
        elif run:
            first, last = run[0].split()[0], run[-1].split()[0]
            # A single step would be a line of no length: it gets a short one.
            line = f"M{' L'.join(run)}" + ("h3" if len(run) == 1 else "")
            path.append(line)
            area.append(f"M{first} {base} L{' L'.join(run)} L{last} {base}Z")
            run = []
    return Chart(_lines(top), _ticks(series), [], " ".join(path), " ".join(area), top)


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 …, so that labels are round."""
    size = 10.0 ** floor(log10(value))
    return next(size * step for step in (1, 2, 5, 10) if value <= size * step * 1.0000001)


def _scaled(value: float, top: float) -> float:
    return round((HEIGHT - _TOP - _BOTTOM) * min(value / top, 1.0), 2)


def _lines(top: float) -> list[tuple[float, float]]:
    return [(HEIGHT - _BOTTOM - _scaled(top * part, top), top * part) for part in (0, 0.5, 1)]


def _ticks(series: Series) -> list[tuple[float, datetime]]:
    number = len(series.steps)
    width = (WIDTH - _LEFT) / number
    return [
        (_LEFT + place * width, series.steps[place].minute)
        for place in range(0, number, max(1, number // 6))
    ]
