"""A shop with a night's work behind it: jobs in every state, workers at work, an hour of statistics."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bide import App, clock
from bide.jobs.job import Filter
from bide.jobs.statistics import BOUNDS, Statistic
from bide.jobs.store import Failure, Wanted


@dataclass
class Money:
    amount: Decimal
    currency: str


def declare(app: App) -> dict[str, Any]:
    """The jobs of the shop."""

    @app.job(name="mail.welcome", queue="mail")
    def welcome(user_id: int, *, name: str = "you") -> None:
        pass

    @app.job(name="billing.charge", queue="billing", max_attempts=1)
    def charge(order: int, total: Money, card_token: str = "tok") -> None:
        pass

    @app.job(name="shop.report", queue="reports", priority=10)
    def report(day: date, formats: tuple[str, ...] = ("pdf",)) -> None:
        pass

    @app.job(name="shop.thumbnail", queue="default")
    def thumbnail(path: str, sizes: list[int]) -> None:
        pass

    app.register(Money)
    return {"welcome": welcome, "charge": charge, "report": report, "thumbnail": thumbnail}


def open_shop(app: App) -> dict[str, Any]:
    """Fill an empty, migrated database."""
    jobs, now = declare(app), clock.utc_now()
    for number in range(3):
        jobs["charge"].delay(4711 + number, Money(Decimal("19.99"), "EUR"), card_token="tok_4f3a")
    _failures(app, now)
    jobs["report"].delay(date(2027, 1, 31), formats=("pdf", "csv"))
    for number in range(14):
        jobs["welcome"].delay(number, name="Ada")
        jobs["thumbnail"].delay(f"/photos/{number}.jpg", [64, 256])
    for hours in range(1, 5):
        jobs["report"].using(run_at=timedelta(hours=hours * 6)).delay(date(2027, 2, hours))
    _workers(app, now)
    cancelled = jobs["welcome"].delay(99)
    app.store.cancel(Filter(ids=(cancelled.id,)), now)
    app.store.statistics.write(1, [one for minute in range(60) for one in _minute(minute)])
    return jobs


TRACE = """\
card of order {order} was declined (token=tok_4f3a)
Traceback (most recent call last):
  File "/srv/shop/billing.py", line 36, in charge
    receipt = bank.take(order, total, card_token)
  File "/srv/shop/bank.py", line 112, in take
    raise PaymentRefused(f"card of order {{order}} was declined (token={{token}})")
shop.bank.PaymentRefused: card of order {order} was declined (token=tok_4f3a)"""


def _failures(app: App, now: Any) -> None:
    """Three jobs that a worker has tried in vain."""
    ref = app.store.register("host:app-1 pid:4099", "app-1", 4099, {})
    for number, row in enumerate(app.store.claim(ref, Wanted(("billing",)), 3, now)):
        began = now - timedelta(seconds=2)
        error = TRACE.format(order=4711 + number)
        failure = Failure(row.id, row.lease, 1, error, "PaymentRefused", began, None)
        app.store.fail(ref, failure, now, keep=True)
    app.store.retire(ref, now)


def _workers(app: App, now: Any) -> None:
    """Two hosts; what runs was claimed from the queue."""
    for number, host in enumerate(("app-1", "app-1", "app-2")):
        name = f"host:{host} pid:{4100 + number}"
        ref = app.store.register(name, host, 4100 + number, {"queues": None, "running": []})
        [row] = app.store.claim(ref, Wanted(("mail",)), 1, now - timedelta(seconds=4 + 9 * number))
        app.store.heartbeat(ref, {"queues": ["mail", "default"] if number else None,
                                  "running": [{"id": row.id, "name": row.name}]})  # fmt: skip


def _minute(ago: int) -> list[Statistic]:
    """What was counted so many minutes ago."""
    minute = clock.utc_now().replace(second=0, microsecond=0) - timedelta(minutes=ago)
    done = int(60 + 40 * math.sin(ago / 7) + (ago * 13) % 17)
    run = [0] * (len(BOUNDS) + 1)
    run[1], run[3 if ago % 9 else 4] = done, 3
    bad = 6 if 20 < ago < 26 else ago % 11 == 0
    mail = Statistic(minute, "mail", "mail.welcome", succeeded=done, failed_attempts=0,
                     run_seconds=done * 0.014, run_longest=0.7 + ago % 5, run_buckets=tuple(run),
                     wait_seconds=done * 0.002, wait_longest=0.2, wait_buckets=tuple(run))  # fmt: skip
    charge = mail._replace(queue="billing", name="billing.charge", succeeded=3, run_seconds=2.1,
                           failed_attempts=int(bad), failed=int(bad))  # fmt: skip
    return [mail, charge]
