"""What the shop does in the background. Workers import this module, and no web framework."""

import os
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import object_session, sessionmaker

import bide
from bide.jobs.retries import constant
from shop.models import URL, Order, engine

jobs = bide.App(URL)
jobs.sessions = sessionmaker(engine)

#: Stands for a mail server.
OUTBOX = Path(os.environ.get("SHOP_OUTBOX", "outbox"))


@jobs.job(queue="mail", max_attempts=10, backoff=constant(2))
def send_receipt(order: Order) -> None:
    """`order` travelled as its primary key; here it is the row of now."""
    if order.receipt_at is not None:
        return  # a job may run twice: when its worker was killed after the commit below
    if not OUTBOX.is_dir():
        raise ConnectionError(f"the mail server is down: no directory {OUTBOX}")
    total = order.quantity * order.article.price
    text = f"To: {order.email}\n{order.quantity} x {order.article.name}: {total:.2f}\n"
    (OUTBOX / f"{order.id}.txt").write_text(text)
    order.receipt_at = datetime.now(UTC).replace(tzinfo=None)
    session = object_session(order)
    assert session is not None
    session.commit()
