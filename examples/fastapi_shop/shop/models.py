"""The tables of the shop, and its engine."""

import os
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

URL = os.environ.get("SHOP_DATABASE_URL", "sqlite:///shop.db")
engine = create_engine(URL)


class Base(DeclarativeBase):
    pass


class Article(Base):
    __tablename__ = "articles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[Decimal]
    stock: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    quantity: Mapped[int]
    article_id: Mapped[int] = mapped_column(ForeignKey(Article.id))
    article: Mapped[Article] = relationship()
    receipt_at: Mapped[datetime | None]


def open_shop() -> None:
    """Make the tables and fill the shelves, once."""
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        if session.get(Article, 1) is None:
            session.add(Article(id=1, name="Tea pot", price=Decimal("19.50"), stock=10))
            session.commit()
