"""Jobs speak the language of whoever enqueued them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import bide
from bide import events
from bide.i18n import I18n, Simple, l, set_default, t, time_zone, with_locale, with_time_zone

heard: list[object] = []


@pytest.fixture
def i18n() -> I18n:
    texts = I18n(Simple())
    for locale, word in (("en", "Hello"), ("de", "Hallo")):
        texts.store(locale, {"hello": word, "time": {"formats": {"short": "%H:%M"}}})
    return texts


@pytest.fixture
def app(sqlite_url: str, i18n: I18n) -> Iterator[bide.App]:
    heard.clear()
    app = bide.App(sqlite_url, max_attempts=3)
    app.use(i18n)
    app.migrate()
    yield app
    set_default(None)
    app.close()


class Greeting:
    """Notes what each hook and perform say."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def before(self) -> None:
        heard.append(("before", t("hello")))

    def perform(self) -> None:
        heard.append(("perform", t("hello")))
        if self.fails:
            raise ValueError("no")

    def error(self, _job: bide.Job, _error: Exception) -> None:
        heard.append(("error", t("hello")))

    def after(self) -> None:
        heard.append(("after", t("hello")))

    def reschedule_at(self, now: datetime, _attempts: int) -> datetime:
        return now

    def failure(self) -> None:
        heard.append(("failure", t("hello")))


def test_the_locale_travels_with_the_job_and_is_restored(app: bide.App) -> None:
    app.job(Greeting)
    with with_locale("de"):
        job = app.enqueue(Greeting())
    with with_locale("en"):
        app.worker().work_off()
        assert t("hello") == "Hello"
    assert job.locale == "de"
    assert heard == [("before", "Hallo"), ("perform", "Hallo"), ("after", "Hallo")]


def test_it_stays_through_retries_and_is_told_to_the_failure_hook(app: bide.App) -> None:
    app.job(Greeting)
    with with_locale("de"):
        app.enqueue(Greeting(fails=True))
    app.worker().work_off()
    assert {word for _, word in heard} == {"Hallo"}
    assert [hook for hook, _ in heard].count("perform") == 3
    assert heard[-1] == ("failure", "Hallo")


def test_the_failed_row_shows_it(app: bide.App) -> None:
    @app.job(max_attempts=1)
    def fails() -> None:
        raise ValueError(t("hello"))

    with with_locale("de"):
        job = fails.delay()
    app.worker().work_off()
    row = app.find(job.id).reload()
    assert (row.locale, row.state) == ("de", "failed")
    assert "ValueError: Hallo" in row.last_error


def test_a_job_that_is_enqueued_by_a_job_speaks_the_same(app: bide.App) -> None:
    @app.job
    def second() -> None:
        heard.append(t("hello"))

    @app.job
    def first() -> None:
        second.delay()

    with with_locale("de"):
        first.delay()
    app.worker().work_off()
    assert heard == ["Hallo"]


def test_many_jobs_at_once_keep_it(app: bide.App) -> None:
    @app.job
    def greet() -> None:
        heard.append(t("hello"))

    with with_locale("de"):
        app.enqueue_many(greet.bind() for _ in range(3))
    app.worker().work_off()
    assert heard == ["Hallo"] * 3


def test_inline_jobs_are_treated_alike(app: bide.App) -> None:
    app.job(Greeting)
    app.delay_jobs = False
    with with_locale("de"):
        app.enqueue(Greeting())
    assert heard == [("before", "Hallo"), ("perform", "Hallo"), ("after", "Hallo")]


def test_the_time_zone_travels_too(app: bide.App) -> None:
    @app.job
    def tell() -> None:
        heard.append((time_zone(), l(datetime(2027, 1, 1, 12, tzinfo=UTC), format="short")))

    with with_time_zone("Asia/Tokyo"):
        tell.delay()
    tell.delay()
    app.worker().work_off()
    assert heard == [("Asia/Tokyo", "21:00"), (None, "12:00")]
    assert time_zone() is None


def test_a_job_sees_one_state_of_the_texts(app: bide.App, i18n: I18n) -> None:
    @app.job
    def twice() -> None:
        heard.append(t("hello"))
        i18n.store("en", {"hello": "Hi"})
        heard.append(t("hello"))

    twice.delay()
    twice.delay()
    app.worker().work_off()
    assert heard == ["Hello", "Hello", "Hi", "Hi"]


def test_a_language_that_was_given_up_does_not_stop_its_jobs(app: bide.App, i18n: I18n) -> None:
    told: list[str] = []
    unsubscribe = events.subscribe(lambda name, facts: told.append(name))

    @app.job
    def greet() -> None:
        heard.append(t("hello"))

    with with_locale("de"):
        greet.delay()
    i18n.available_locales = ["en"]
    app.worker().work_off()
    unsubscribe()
    assert heard == ["Hello"]
    assert "job_without_locale" in told


def test_a_locale_that_is_none_keeps_no_job_from_being_done(app: bide.App) -> None:
    app.use(I18n(default_locale="en"))
    done = []

    @app.job
    def greet() -> None:
        done.append(True)

    app.lifecycle.before("enqueue", lambda job: setattr(job, "locale", ""))
    greet.delay()
    assert app.worker().work_off() == (1, 0)
    assert done == [True]


async def test_async_jobs_and_enqueueing_keep_it(app: bide.App) -> None:
    @app.job
    async def greet() -> None:
        heard.append(t("hello"))

    with with_locale("de"):
        await greet.adelay()
    app.worker().work_off()
    assert heard == ["Hallo"]


def test_another_i18n_may_take_over(app: bide.App) -> None:
    other = I18n(Simple())
    other.store("en", {"hello": "Ahoy"})
    app.use(other)
    assert t("hello") == "Ahoy"
    assert app.i18n is other
