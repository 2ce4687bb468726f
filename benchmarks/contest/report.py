"""Rows of a contest as a table, as JSON and as a chart."""

from __future__ import annotations

import html
import statistics
from typing import Any, NamedTuple

NAMES = {
    "bare_psycopg": "bare psycopg (the ceiling)",
    "bare_sqlite": "bare sqlite3 (the ceiling)",
    "bare_pymysql": "bare PyMySQL (the ceiling)",
    "bare_on_bide": "the bare driver on Bide's table",
    "bide_jobs": "Bide",
    "bide_async": "Bide, async def jobs",
    "pgqueuer_": "PgQueuer",
    "procrastinate_": "Procrastinate",
    "chancy_": "Chancy",
    "oban_": "oban-py",
    "awa_": "Awa",
    "saq_": "SAQ (PostgreSQL)",
    "huey_sqlite": "Huey (SQLite)",
    "huey_postgresql": "Huey (PostgreSQL)",
    "rq_": "RQ (Redis)",
    "celery_": "Celery (Redis)",
    "dramatiq_": "Dramatiq (Redis)",
    "django_tasks_db_": "django-tasks-db",
}


class Row(NamedTuple):
    """One contender in one configuration, over all rounds; `of` names the row that it is compared with."""

    name: str
    values: list[float]
    worker: float | None = None
    server: float | None = None
    note: str = ""
    of: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def as_json(self) -> dict[str, Any]:
        """With the spread."""
        return {
            "name": self.name,
            "median": round(self.median, 3),
            "min": round(min(self.values), 3),
            "max": round(max(self.values), 3),
            "runs": len(self.values),
            "worker_us": rounded(self.worker),
            "server_us": rounded(self.server),
            "note": self.note,
        }


class Section(NamedTuple):
    """A table: what was measured, in which unit, the row that others are compared with, and its short name.

    Rows stand as they were given unless they are `ranked`: the most first.
    """

    title: str
    unit: str
    rows: list[Row]
    ceiling: str = ""
    absent: tuple[str, ...] = ()
    beside: str = "the ceiling"
    ranked: bool = True

    @property
    def in_order(self) -> list[Row]:
        """As they are shown."""
        return sorted(self.rows, key=lambda each: -each.median) if self.ranked else self.rows

    def ratio(self, row: Row) -> float | None:
        """To the row that it is compared with, if that one took part and is another."""
        by_name = {each.name: each for each in self.rows}
        of = row.of or self.ceiling
        return row.median / by_name[of].median if of in by_name and of != row.name else None

    def as_json(self) -> dict[str, Any]:
        rows = [row.as_json() | {"ratio": rounded(self.ratio(row), 3)} for row in self.rows]
        return {"title": self.title, "unit": self.unit, "rows": rows, "absent": list(self.absent)}

    def table(self) -> str:
        """In Markdown; readable in a terminal too."""
        head = ["", self.unit, "spread", f"of {self.beside}", "worker us", "server us"]
        lines = [head, ["---", *["--:"] * 5]]
        for row in self.in_order:
            ratio = self.ratio(row)
            lines.append(
                [
                    row.name + (f" ({row.note})" if row.note else ""),
                    figure(row.median),
                    f"{figure(min(row.values))} to {figure(max(row.values))}",
                    "" if ratio is None else f"{ratio:.0%}",
                    "" if row.worker is None else f"{row.worker:.1f}",
                    "" if row.server is None else f"{row.server:.1f}",
                ]
            )
        body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        absent = "".join(f"\nAbsent: {in_short(why)}\n" for why in self.absent)
        return f"### {self.title}\n\n{body}\n{absent}"


def in_short(why: str) -> str:
    """Who, and the last line of what it said in failing."""
    lines = why.strip().splitlines()
    return why if len(lines) == 1 else f"{lines[0].partition(':')[0]}: {lines[-1].strip()}"


def figure(value: float) -> str:
    """Three digits that mean something."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.2f}"


def rounded(value: float | None, digits: int = 1) -> float | None:
    return None if value is None else round(value, digits)


LINE, LEFT, WIDE = 26, 270, 800


def chart(section: Section) -> str:
    """Bars, longest first, as SVG that reads in light and dark."""
    rows = section.in_order
    most = max((row.median for row in rows), default=1.0)
    height = LINE * (len(rows) + 1) + 8
    bars = "".join(bar(number, row, most) for number, row in enumerate(rows, 1))
    title = text(8, 18, f"{section.title} ({section.unit})", "font-weight='bold'")
    style = (
        "<style>text{font:13px system-ui,sans-serif;fill:#1f2430}rect{fill:#9aa4b2}"
        ".ours{fill:#2f6f4f}@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.ours{fill:#6fbf96}}"
        "</style>"
    )
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDE} {height}' role='img' "
        f"aria-label='{html.escape(section.title)}'>{style}{title}{bars}</svg>\n"
    )


def bar(number: int, row: Row, most: float) -> str:
    top, length = LINE * number, max(1.0, (WIDE - LEFT - 90) * row.median / most)
    ours = " class='ours'" if row.name.startswith("Bide") else ""
    name = row.name + (f" ({row.note})" if row.note else "")
    return (
        text(LEFT - 8, top + 18, name, "text-anchor='end'")
        + f"<rect{ours} x='{LEFT}' y='{top + 4}' width='{length:.1f}' height='{LINE - 8}' rx='2'/>"
        + text(LEFT + length + 6, top + 18, figure(row.median), "")
    )


def text(x: float, y: float, words: str, attributes: str) -> str:
    return f"<text x='{x:.0f}' y='{y}' {attributes}>{html.escape(words)}</text>"
