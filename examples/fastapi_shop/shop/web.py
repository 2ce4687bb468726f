"""The shop by HTTP: `uvicorn shop.web:api`."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt
from sqlalchemy import update
from sqlalchemy.orm import Session

from bide.contrib.fastapi import Enqueue, enqueue_in, lifespan
from bide.web import create_app
from shop.models import Article, Order, engine, open_shop
from shop.tasks import jobs, send_receipt


@asynccontextmanager
async def own_lifespan(_: FastAPI) -> AsyncIterator[None]:
    open_shop()
    yield


api = FastAPI(
    title="Shop",
    lifespan=lifespan(jobs, migrate=True, work="SHOP_WORKS_HERE" in os.environ, inner=own_lifespan),
)
api.mount("/bide", create_app(jobs))


def get_session() -> Iterator[Session]:
    with Session(engine) as session:
        yield session


SessionIn = Annotated[Session, Depends(get_session)]
EnqueueIn = Annotated[Enqueue, Depends(enqueue_in(get_session))]


class Wanted(BaseModel):
    email: str
    article_id: int = 1
    quantity: PositiveInt = 1


@api.post("/orders", status_code=201)
def place(wanted: Wanted, session: SessionIn, enqueue: EnqueueIn) -> dict[str, int]:
    """Take from the shelf, store the order and its receipt: all of it, or nothing."""
    order = Order(**wanted.model_dump())
    session.add(order)
    session.flush()
    enqueue(send_receipt, order)
    taken = session.execute(
        update(Article)
        .where(Article.id == wanted.article_id, Article.stock >= wanted.quantity)
        .values(stock=Article.stock - wanted.quantity)
    )
    if taken.rowcount == 0:
        raise HTTPException(409, "we have not so many")  # no commit: no order, and no receipt
    session.commit()
    return {"id": order.id}


@api.get("/orders/{order_id}")
def show(order_id: int, session: SessionIn) -> dict[str, object]:
    order = session.get(Order, order_id)
    if order is None:
        raise HTTPException(404, f"there is no order {order_id}")
    return {"id": order.id, "email": order.email, "receipt_at": order.receipt_at}
