"""Texts are live in workers, which look after them in their own loop and need no thread for it."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import Context
from pathlib import Path

import pytest

import bide
from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import Chain, Database, I18n, Simple, watch
from bide.i18n.migrations import TEXTS
from bide.i18n.side_tables.readers import ReaderRows
from bide.jobs.job import Filter
from bide.jobs.store import Wanted
from waiting import wait_until
from workers.fleets import Fleet, fleet

#: The promise is one second, which a machine that is busy with other tests need not keep.
WITHIN = 5.0
THREAD = "bide-texts"

SHOP = """
import contextvars, threading
from bide.i18n import Chain, Database, I18n, Simple
texts = I18n(Chain(Database(app), Simple()))
app.use(texts)

def threads():
    return [thread.name for thread in threading.enumerate()]

@app.job
def speak(number, seconds):
    at = time.monotonic()
    time.sleep(seconds)
    note(spoke=number, word=texts.t("word"), began=at, threads=threads())

@app.job
def wait_for(word):
    note(waits=word)
    while contextvars.Context().run(texts.t, "word") != word:
        time.sleep(0.01)
    note(heard=word, pinned=texts.t("word"), threads=threads())
"""


class Texts:
    """The texts of a fleet's application as another process has them."""

    def __init__(self, url: str) -> None:
        self.database = Database(Door(url))

    def edit(self, word: str) -> float:
        self.database.store("en", {"word": word})
        return time.monotonic()

    def spoken(self, pid: int) -> int:
        """Which version the process says that it speaks."""
        rows = self.database.live.rows
        readers = rows.database.read(lambda c: ReaderRows(rows).alive(c, ["translations"]))
        return max((reader.versions[""] for reader in readers if reader.pid == pid), default=0)

    def newest(self) -> int:
        rows = self.database.live.rows
        return rows.database.read(rows.versions)[""]

    def close(self) -> None:
        self.database.close()
        self.database.live.rows.database.close()


@pytest.fixture
def texts(database_url: str) -> Iterator[Texts]:
    texts = Texts(database_url)
    yield texts
    texts.close()


@pytest.fixture
def shop(tmp_path: Path, database_url: str) -> Iterator[Fleet]:
    with fleet(tmp_path, database_url, SHOP, sleep_delay=60) as made:
        yield made


def until_all_is_told(texts: Texts, pid: int) -> None:
    wait_until(lambda: texts.spoken(pid) == texts.newest(), within=20, every=0.05)


@pytest.mark.story
def test_an_edit_reaches_a_worker_that_idles_one_in_a_long_job_and_one_in_a_flow_of_jobs(
    shop: Fleet, texts: Texts
) -> None:
    texts.edit("old")
    shop.start("-n", "1")
    shop.enqueue("speak", 0, 0.0)
    [first] = shop.wait_for(spoke=0)
    assert first["word"] == "old"

    texts.edit("told to an idle one")
    until_all_is_told(texts, first["pid"])
    shop.enqueue("speak", 1, 0.0)
    [second] = shop.wait_for(spoke=1)
    assert second["word"] == "told to an idle one"

    shop.enqueue("wait_for", "told in a long job")
    shop.wait_for(waits="told in a long job")
    edited = texts.edit("told in a long job")
    [long] = shop.wait_for(heard="told in a long job")
    assert long["at"] - edited < WITHIN
    assert long["pinned"] == "told to an idle one"

    for number in range(300):
        shop.enqueue("speak", 100 + number, 0.05)
    shop.wait_for(spoke=100)
    edited = texts.edit("told between jobs")
    [new, *_] = shop.wait_for(word="told between jobs")
    assert new["began"] - edited < WITHIN
    assert shop.app.store.count(Filter(), at_most=1000) > 0
    assert not [note for note in shop.notes(threads=None) if THREAD in note["threads"]]
    assert {note["pid"] for note in shop.notes(threads=None)} == {first["pid"]}


@pytest.mark.story
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_an_idle_worker_hears_again_when_its_connections_were_lost(
    tmp_path: Path, postgresql_url: str
) -> None:
    texts = Texts(postgresql_url)
    with fleet(tmp_path, postgresql_url, SHOP, sleep_delay=60) as shop:
        texts.edit("old")
        shop.start("-n", "1")
        shop.enqueue("speak", 0, 0.0)
        [first] = shop.wait_for(spoke=0)
        until_all_is_told(texts, first["pid"])
        texts.database.live.rows.database.read(
            lambda c: c.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        texts.edit("new")
        until_all_is_told(texts, first["pid"])
        shop.enqueue("speak", 1, 0.0)
        [second] = shop.wait_for(spoke=1)
        assert (second["word"], second["pid"]) == ("new", first["pid"])
        assert THREAD not in second["threads"]
    texts.close()


LEAVING = (
    SHOP
    + """
@app.job
def leave_behind():
    threading.Thread(target=listen, daemon=True).start()

def listen():
    time.sleep(1.0)
    note(first=texts.t("word"))
    while contextvars.Context().run(texts.t, "word") != "new":
        time.sleep(0.01)
    note(heard="new", threads=threads())
"""
)


@pytest.mark.story
def test_an_edit_reaches_a_thread_that_first_asks_while_the_worker_idles(
    tmp_path: Path, database_url: str
) -> None:
    texts = Texts(database_url)
    with fleet(tmp_path, database_url, LEAVING, sleep_delay=60) as shop:
        texts.edit("old")
        shop.start("-n", "1")
        shop.enqueue("leave_behind")
        shop.wait_for(first="old")
        edited = texts.edit("new")
        [heard] = shop.wait_for(heard="new")
        assert heard["at"] - edited < WITHIN
        assert THREAD not in heard["threads"]
    texts.close()


# One worker in the process of the test


Heard = list[tuple[str, bool]]


class Here:
    """An application with texts whose jobs note a word, and whether a thread looks after the texts."""

    def __init__(self, url: str, texts_url: str | None = None) -> None:
        self.app = bide.App(url)
        self.door = Door(texts_url) if texts_url else None
        self.database = Database(self.door or self.app)
        self.texts = I18n(Chain(self.database, Simple()))
        self.app.use(self.texts)
        self.app.migrate()
        if self.door:
            migrate(self.door, TEXTS)
        self.writer = Texts(texts_url or url)
        self.heard: Heard = []

    def hear(self) -> None:
        self.heard.append((self.texts.t("word"), self.has_thread()))

    def fresh(self) -> str:
        """The word that is not pinned to the running job."""
        return str(Context().run(self.texts.t, "word"))

    def has_thread(self) -> bool:
        return THREAD in {thread.name for thread in threading.enumerate()}

    def work(self, **options: int) -> None:
        """Until nothing is ready, in the main thread."""
        worker = self.app.worker_for(Wanted(), exit_on_complete=True, **options)
        worker.start()

    def close(self) -> None:
        self.database.close()
        self.writer.close()
        self.app.close()
        if self.door:
            self.door.close()


@pytest.fixture
def open_here(sqlite_url: str) -> Iterator[Callable[..., Here]]:
    made: list[Here] = []
    for left_over in watch._watched():  # texts that another test of this process did not close
        watch.unwatch(left_over)

    def opened(**options: str) -> Here:
        made.append(Here(sqlite_url, **options))
        made[-1].writer.edit("old")
        return made[-1]

    yield opened
    for each in made:
        each.close()


def test_the_thread_of_a_program_ends_while_it_works_and_comes_back(
    open_here: Callable[..., Here],
) -> None:
    here = open_here()
    here.app.job(name="hear")(here.hear).delay()
    assert here.texts.t("word") == "old"
    assert here.has_thread()
    here.work()
    assert here.heard == [("old", False)]
    here.writer.edit("new")
    wait_until(lambda: here.texts.t("word") == "new", within=WITHIN)
    assert here.has_thread()


def test_texts_in_another_database_than_the_jobs_have_a_thread(
    open_here: Callable[..., Here], tmp_path: Path
) -> None:
    """It may hang while the jobs go on."""
    here = open_here(texts_url=f"sqlite:///{tmp_path / 'texts.db'}")
    here.app.job(name="hear")(here.hear).delay()
    here.work()
    assert here.heard == [("old", True)]


def test_texts_in_two_databases_have_one_thread(
    open_here: Callable[..., Here], tmp_path: Path
) -> None:
    here = open_here()
    other = Door(f"sqlite:///{tmp_path / 'texts.db'}")
    migrate(other, TEXTS)
    elsewhere = Database(other)
    elsewhere.store("en", {"word": "elsewhere"})
    more = I18n(Chain(elsewhere, Simple()))

    @here.app.job
    def hear_both() -> None:
        here.hear()
        here.heard.append((more.t("word"), here.has_thread()))
        here.writer.edit("new")
        wait_until(lambda: here.fresh() == "new", within=10)

    hear_both.delay()
    here.work()
    assert here.heard == [("old", False), ("elsewhere", True)]
    elsewhere.close()
    other.close()


def test_an_event_loop_looks_after_texts_while_all_of_its_jobs_run(
    open_here: Callable[..., Here],
) -> None:
    here = open_here()

    @here.app.job
    async def hear(last: bool) -> None:
        here.hear()
        if last:
            here.writer.edit("new")
        while here.fresh() != "new":
            await asyncio.sleep(0.01)
        here.hear()

    hear.delay(False)
    hear.delay(True)
    began = time.monotonic()
    here.work(concurrency=2)
    assert here.heard == [("old", False)] * 4
    assert time.monotonic() - began < WITHIN


def test_threads_that_work_beside_each_other_leave_it_to_a_thread(
    open_here: Callable[..., Here],
) -> None:
    here = open_here()
    here.app.job(name="hear")(here.hear).delay()
    worker = here.app.worker(exit_on_complete=True)
    thread = threading.Thread(target=worker.start)
    thread.start()
    thread.join(20)
    assert here.heard == [("old", True)]


@pytest.mark.filterwarnings("ignore:forking with other threads:RuntimeWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_process_forked_by_a_job_has_a_thread_and_the_worker_goes_on_without(
    open_here: Callable[..., Here],
) -> None:
    here = open_here()
    forked = multiprocessing.get_context("fork")

    @here.app.job
    def fork() -> None:
        here.hear()
        here.writer.edit("new")
        answers = forked.SimpleQueue()
        child = forked.Process(target=lambda: answers.put((here.fresh(), here.has_thread())))
        child.start()
        here.heard.append(answers.get())
        child.join()

    @here.app.job
    def next_one() -> None:
        wait_until(lambda: here.fresh() == "new", within=10)
        here.heard.append((here.fresh(), here.has_thread()))

    fork.delay()
    next_one.delay()
    here.work()
    assert here.heard == [("old", False), ("new", True), ("new", False)]
