"""Bide as an extension of Flask."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from werkzeug.test import Client

import bide
from bide.contrib.flask import Bide
from bide.errors import SettingsError
from bide.i18n import Chain, Database, I18n, Memoize, Simple
from bide.testing import inline
from bide.web import Viewer
from lending import stored

MakeApp = Callable[..., Flask]


@pytest.fixture
def jobs() -> Iterator[Bide]:
    jobs = Bide(max_attempts=3)
    yield jobs
    jobs.close()


@pytest.fixture
def make_app(jobs: Bide, tmp_path: Path, sqlite_url: str) -> MakeApp:
    def make(name: str = "shop", **config: Any) -> Flask:
        app = Flask(name, instance_path=str(tmp_path / "instance"))
        app.config.update({"BIDE_DATABASE_URL": sqlite_url, **config})
        jobs.init_app(app)
        jobs.migrate()
        return app

    return make


@pytest.fixture
def seen() -> list[Any]:
    return []


# Settings


def test_settings_come_from_the_configuration_before_the_defaults(
    jobs: Bide, make_app: MakeApp
) -> None:
    app = make_app(BIDE_MAX_ATTEMPTS=7, BIDE_DEFAULT_QUEUE="web")
    assert (jobs.settings.max_attempts, jobs.settings.default_queue) == (7, "web")
    assert app.extensions["bide"] is jobs
    make_app()
    assert (jobs.settings.max_attempts, jobs.settings.default_queue) == (3, "default")


def test_wrong_settings_are_named_all_at_once(jobs: Bide, make_app: MakeApp) -> None:
    with pytest.raises(SettingsError, match="BIDE_MAX_ATEMPTS in the configuration is no setting"):
        make_app(BIDE_MAX_ATEMPTS=7)
    with pytest.raises(SettingsError, match="max_attempts"):
        make_app(BIDE_MAX_ATTEMPTS="many")


def test_without_a_database_of_its_own_it_uses_flask_sqlalchemys(
    jobs: Bide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = Flask("shop", instance_path=str(tmp_path / "instance"))
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
    db = SQLAlchemy(app)
    jobs.init_app(app)
    jobs.migrate()
    assert jobs.database is not None
    with app.app_context():
        assert Path(db.engine.url.database or "").samefile(jobs.database.file)
        db.engine.dispose()


def test_before_init_app_nothing_is_stored_in_a_database_that_no_one_named(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    unnamed, named = Bide(), Bide(database_url=sqlite_url)
    with pytest.raises(SettingsError, match="no Flask application yet"):
        unnamed.migrate()
    assert not Path("bide.db").exists()
    named.migrate()
    named.close()


def test_each_application_of_a_factory_gets_its_own_database(
    jobs: Bide, make_app: MakeApp, tmp_path: Path
) -> None:
    """As in test suites that make an application for each test."""
    note = jobs.job(name="note")(lambda: None)
    make_app(BIDE_DATABASE_URL=f"sqlite:///{tmp_path}/one.db")
    note.delay()
    make_app(BIDE_DATABASE_URL=f"sqlite:///{tmp_path}/two.db")
    assert stored(jobs) == []
    note.delay()
    note.delay()
    assert jobs.worker().work_off() == (2, 0)
    make_app(BIDE_DATABASE_URL=f"sqlite:///{tmp_path}/one.db")
    assert jobs.worker().work_off() == (1, 0)


# Jobs


def test_texts_go_with_the_database_of_the_application(jobs: Bide, tmp_path: Path) -> None:
    files = Simple()
    files.store("en", {"other": "stays"})
    texts = I18n(Chain(Memoize(Database(jobs)), files))
    jobs.use(texts)
    for word in ("one", "two"):
        app = Flask("shop")
        app.config["BIDE_DATABASE_URL"] = f"sqlite:///{tmp_path}/{word}.db"
        jobs.init_app(app)
        jobs.migrate()
        assert texts.t("word", default="none") == "none"
        texts.store("en", {"word": word})
        assert texts.t("word") == word
    app.config["BIDE_DATABASE_URL"] = f"sqlite:///{tmp_path}/one.db"
    jobs.init_app(app)
    assert (texts.t("word"), texts.t("other")) == ("one", "stays")


def test_a_job_runs_in_the_context_of_the_application(
    jobs: Bide, make_app: MakeApp, seen: list[Any]
) -> None:
    @jobs.job
    def look() -> None:
        seen.append(flask.current_app.name)

    @jobs.job
    async def look_async() -> None:
        seen.append(flask.current_app.name)

    app = make_app()
    ended: list[Any] = []
    app.teardown_appcontext(ended.append)
    for job in (look, look_async, look, look_async):
        job.delay()
    assert jobs.worker().work_off() == (4, 0)
    assert seen == ["shop"] * 4
    assert ended == [None] * 4
    assert not flask.has_app_context()


def test_the_context_ends_with_the_error_of_the_job(jobs: Bide, make_app: MakeApp) -> None:
    @jobs.job
    def fails() -> None:
        raise ValueError("no")

    ended: list[Any] = []
    make_app().teardown_appcontext(ended.append)
    fails.delay()
    assert jobs.worker().work_off() == (0, 1)
    assert isinstance(ended[0], ValueError)


def test_the_hooks_of_a_job_that_fails_for_good_run_in_the_context(
    jobs: Bide, make_app: MakeApp, seen: list[Any]
) -> None:
    @jobs.job
    class Fails:
        def perform(self) -> None:
            raise ValueError("no")

        def failure(self, job: bide.Job) -> None:
            seen.append(flask.current_app.name)

    make_app(BIDE_MAX_ATTEMPTS=1)
    jobs.enqueue(Fails())
    jobs.worker().work_off()
    assert seen == ["shop"]


def test_a_job_that_runs_inline_stays_in_the_context_of_the_request(
    jobs: Bide, make_app: MakeApp, seen: list[Any]
) -> None:
    @jobs.job
    def look() -> None:
        seen.append(flask.g.user)

    app = make_app()

    @app.get("/")
    def index() -> str:
        flask.g.user = "Ada"
        with inline(jobs):
            look.delay()
        return ""

    app.test_client().get("/")
    assert seen == ["Ada"]


def test_a_job_is_stored_in_the_transaction_of_flask_sqlalchemy(
    jobs: Bide, tmp_path: Path, seen: list[Any]
) -> None:
    app = Flask("shop", instance_path=str(tmp_path))
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
    db = SQLAlchemy()
    db.init_app(app)
    jobs.init_app(app)

    class Order(db.Model):  # type: ignore[name-defined, misc]
        id = db.Column(db.Integer, primary_key=True)
        sent = db.Column(db.Boolean, default=False)

    @jobs.job
    def send(order_id: int) -> None:
        db.session.get_one(Order, order_id).sent = True
        db.session.commit()
        seen.append(db.session())

    with app.app_context():
        jobs.migrate()
        db.create_all()
        for ending in (db.session.rollback, db.session.commit):
            order = Order()
            db.session.add(order)
            db.session.flush()
            send.using(session=db.session).delay(order.id)
            ending()
        db.session.remove()
    assert jobs.worker().work_off() == (1, 0)
    with app.app_context():
        assert db.session.scalars(db.select(Order.sent)).all() == [True]
        assert db.session() is not seen[0]
        db.session.remove()
        db.engine.dispose()


# Screens


def test_screens_are_mounted_and_ask_the_application_who_looks(
    jobs: Bide, make_app: MakeApp
) -> None:
    app = make_app(SECRET_KEY="secret")

    @app.get("/login")
    def login() -> str:
        flask.session["user"] = "ada"
        return "welcome"

    def viewer() -> Viewer | None:
        name = flask.session.get("user")
        return Viewer(name) if name else None

    jobs.mount_screens(app, "/bide", viewer=viewer)
    client = Client(app)
    assert client.get("/bide/", buffered=True).status_code == 403
    assert client.get("/login").text == "welcome"
    page = client.get("/bide/", follow_redirects=True, buffered=True)
    assert page.status_code == 200
    style = re.search(r'href="(/bide/static/[^"]+\.css[^"]*)"', page.text)
    assert style is not None
    assert client.get(style[1], buffered=True).status_code == 200


def test_screens_cannot_take_the_place_of_the_application(jobs: Bide, make_app: MakeApp) -> None:
    app = make_app()
    for path in ("/", "bide", ""):
        with pytest.raises(SettingsError, match="below the root"):
            jobs.mount_screens(app, path)


# Commands

SHOP = """
from flask import Flask, current_app
from bide.contrib.flask import Bide

jobs = Bide()

@jobs.job(name="note")
def note(text):
    with open("note.txt", "a") as file:
        file.write(f"{text} {current_app.name}\\n")

def create_app():
    app = Flask("shop")
    app.config["BIDE_DATABASE_URL"] = "sqlite:///shop.db"
    jobs.init_app(app)

    @app.cli.command("order")
    def order():
        note.delay("order")

    return app
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    (tmp_path / "shop.py").write_text(SHOP)

    def run(*words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
            **how,
        )

    return run


@pytest.mark.story
def test_flask_bide_runs_every_command_for_the_application(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    for words in (
        ["flask", "--app", "shop", "bide", "migrate"],
        ["flask", "--app", "shop", "order"],
        ["flask", "--app", "shop:create_app", "bide", "work", "-n", "2", "--exit-on-complete"],
        ["flask", "--app", "shop", "order"],
        ["bide.cli", "--app", "flask:shop", "workoff"],
    ):
        done = run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "note.txt").read_text() == "order shop\n" * 2
    listed = run("flask", "--app", "shop", "bide", "jobs", "list", "--json")
    assert listed.stdout.strip() == "[]"


def test_an_application_without_bide_is_told_what_to_do(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "other.py").write_text("from flask import Flask\napp = Flask('other')\n")
    done = run("flask", "--app", "other", "bide", "queues")
    assert done.returncode == 2
    assert "'other' does not use Bide; call Bide().init_app(app)" in done.stderr
