"""A small shop: orders by HTTP, receipts by forked workers."""

import os
from typing import Any

from flask import Flask, session

from bide.web import Viewer
from shop.models import db, open_shop
from shop.tasks import jobs
from shop.views import views


def create_app(config: dict[str, Any] | None = None) -> Flask:
    """The application; `config` is for tests."""
    app = Flask(__name__)
    app.config["SECRET_KEY"] = os.environ.get("SHOP_SECRET", "for development only")
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ.get("SHOP_DATABASE_URL", "sqlite:///shop.db")
    app.config.update(config or {})
    db.init_app(app)
    jobs.init_app(app)  # in the same database, as no other is named
    jobs.mount_screens(app, "/bide", viewer=viewer)
    app.register_blueprint(views)
    app.cli.command("open-shop")(open_shop)
    return app


def viewer() -> Viewer | None:
    """Who may look at the jobs: whoever has logged in to the shop as its keeper."""
    return Viewer("keeper") if session.get("keeper") else None
