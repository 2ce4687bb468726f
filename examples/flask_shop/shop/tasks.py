"""What the shop does in the background."""

import os
from datetime import UTC, datetime
from pathlib import Path

from flask import current_app

from bide.contrib.flask import Bide
from bide.jobs.retries import constant
from shop.models import Order, db

jobs = Bide()

#: Stands for a mail server.
OUTBOX = Path(os.environ.get("SHOP_OUTBOX", "outbox"))


@jobs.job(queue="mail", max_attempts=10, backoff=constant(2))
def send_receipt(order_id: int) -> None:
    """Runs in the application's context, with a `db.session` of its own."""
    order = db.session.get_one(Order, order_id)
    if order.receipt_at is not None:
        return  # a job may run twice: when its worker was killed after the commit below
    if not OUTBOX.is_dir():
        raise ConnectionError(f"the mail server is down: no directory {OUTBOX}")
    total = order.quantity * order.article.price
    text = f"To: {order.email}\n{order.quantity} x {order.article.name}: {total:.2f}\n"
    (OUTBOX / f"{order.id}.txt").write_text(text)
    order.receipt_at = datetime.now(UTC).replace(tzinfo=None)
    db.session.commit()
    current_app.logger.info("sent the receipt of order %s", order.id)
