"""The shop by HTTP."""

from flask import Blueprint, abort, request, session
from sqlalchemy import update

from bide.contrib.sqlalchemy import Enqueue
from shop.models import Article, Order, db
from shop.tasks import send_receipt

views = Blueprint("views", __name__)
enqueue = Enqueue(db.session)  # the session of each request


@views.post("/orders")
def place() -> tuple[dict[str, int], int]:
    """Take from the shelf, store the order and its receipt: all of it, or nothing."""
    wanted = request.get_json()
    quantity = int(wanted.get("quantity", 1))
    order = Order(email=wanted["email"], article_id=1, quantity=quantity)
    db.session.add(order)
    db.session.flush()
    enqueue(send_receipt, order.id)
    taken = db.session.execute(
        update(Article)
        .where(Article.id == order.article_id, Article.stock >= quantity)
        .values(stock=Article.stock - quantity)
    )
    if quantity < 1 or taken.rowcount == 0:
        abort(409)  # no commit: no order, and no receipt
    db.session.commit()
    return {"id": order.id}, 201


@views.get("/orders/<int:order_id>")
def show(order_id: int) -> dict[str, object]:
    order = db.get_or_404(Order, order_id)
    return {"id": order.id, "email": order.email, "receipt_at": order.receipt_at}


@views.post("/login")
def login() -> str:
    """Real shops ask for more than a word."""
    if request.form.get("word") != "open sesame":
        abort(403)
    session["keeper"] = True
    return "Welcome, keeper. The jobs are below /bide.\n"
