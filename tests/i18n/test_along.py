"""On MySQL the statement with which a worker waits for jobs asks for changed texts too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pymysql
import pytest
from sqlalchemy.engine.url import make_url

from bide.db.engine import Database as Door
from bide.db.loops import Loop
from bide.db.migrate import migrate
from bide.i18n import Database, along, watch
from bide.i18n.migrations import TEXTS
from bide.i18n.watch import POLL
from bide.jobs.migrations import JOBS
from bide.jobs.stores.mysql import MySQLStore
from servers.mariadb import by_driver
from waiting import wait_until

pytestmark = pytest.mark.usefixtures("mysql_driver")

#: The promise is one second, which a machine that is busy with other tests need not keep.
WITHIN = 5.0
#: The loop has nothing else to do for so long.
LONG = 20.0


class Resting:
    """A worker's loop without jobs, in this thread, with texts that it looks after."""

    def __init__(self, door: Door, **scope: str) -> None:
        self.store = MySQLStore(door)
        self.texts = Database(door, **scope)
        self.loop = Loop(door, lambda: None)
        self.wakeups: Any = self.store.wakeups()
        self.reads: list[float] = []
        refresh = self.texts.live.refresh

        def counted() -> bool:
            self.reads.append(time.monotonic())
            return refresh()

        self.texts.live.refresh = counted  # type: ignore[method-assign]

    def turn(self, at_most: float = LONG) -> None:
        """As a worker does that has nothing to do: one look beside, one wait."""
        self.loop.look()
        self.wakeups.wait(min(at_most, self.loop.pause()))

    def until(self, condition: Callable[[], object], at_most: float = LONG) -> float:
        """Turn until then; the seconds that it took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < 30, condition
            self.turn(at_most)
        return time.monotonic() - began

    def relies(self) -> bool:
        """Whether nothing is asked from here for long."""
        self.loop.look()
        return self.loop.pause() > 2 * POLL

    def says(self, word: str) -> Callable[[], bool]:
        return lambda: self.texts.live.current().trees.get("en", {}).get("word") == word


@pytest.fixture
def mysql_url(mysql_url: str, mysql_driver: str) -> str:
    return by_driver(mysql_url, mysql_driver)


@pytest.fixture
def door(mysql_url: str) -> Iterator[Door]:
    door = Door(mysql_url)
    migrate(door, TEXTS)
    migrate(door, JOBS)
    yield door
    door.close()


@pytest.fixture
def there(mysql_url: str) -> Iterator[Database]:
    """The texts as another process has them."""
    there = Database(Door(mysql_url))
    there.store("en", {"word": "old"})
    yield there
    there.close()
    there.live.rows.database.close()


@pytest.fixture
def resting(door: Door, there: Database) -> Iterator[Resting]:
    yield from rested(Resting(door))


def rested(resting: Resting) -> Iterator[Resting]:
    for left_over in watch._watched():  # texts that another test of this process did not close
        watch.unwatch(left_over)
    with resting.loop.turning():
        resting.texts.live.current()
        watch.watch(resting.texts.live)
        resting.until(resting.relies)
        yield resting
        resting.texts.close()
        resting.wakeups.close()


def test_an_edit_ends_the_wait_and_nothing_is_asked_before(
    resting: Resting, there: Database
) -> None:
    resting.turn(at_most=1.2)  # longer than one statement: the next one asks again
    assert resting.relies()
    resting.reads.clear()
    there.store("en", {"word": "new"})
    assert resting.until(resting.says("new")) < WITHIN
    assert len(resting.reads) == 1
    resting.until(resting.relies)
    there.store("en", {"word": "newer"})
    assert resting.until(resting.says("newer")) < WITHIN


def test_the_answer_ends_the_wait_and_is_for_the_loop(resting: Resting, there: Database) -> None:
    there.store("en", {"word": "new"})
    began = time.monotonic()
    assert not resting.wakeups.wait(LONG)
    assert time.monotonic() - began < LONG / 2
    assert resting.loop.told
    resting.loop.look()
    assert resting.says("new")()


def test_when_the_connection_is_lost_the_loop_looks_itself_and_relies_on_the_next_one(
    resting: Resting, there: Database
) -> None:
    lookout = resting.wakeups._lookout.get()
    ask, sent = lookout.ask, []

    def refused(*args: Any) -> bool:
        sent.append(args)
        return False

    lookout.ask = refused
    number = lookout._connection.raw.thread_id()
    there.live.rows.database.read(lambda c: c.execute(f"KILL CONNECTION {number}"))
    began = time.monotonic()
    assert not resting.wakeups.wait(LONG)
    assert time.monotonic() - began < LONG / 2
    there.store("en", {"word": "new"})
    assert resting.until(resting.says("new")) < WITHIN
    assert sent
    assert not resting.relies()
    lookout.ask = ask
    resting.until(resting.relies)
    there.store("en", {"word": "newer"})
    assert resting.until(resting.says("newer")) < WITHIN


def test_a_worker_that_is_busy_relies_on_nothing_that_nobody_hears(
    resting: Resting, there: Database
) -> None:
    """While a job runs nobody takes the answer."""
    there.store("en", {"word": "new"})

    def seen() -> bool:
        resting.loop.look()
        return resting.says("new")()

    wait_until(seen, within=WITHIN)


def test_what_is_not_committed_is_looked_for_from_here_until_it_is(
    resting: Resting, there: Database, mysql_url: str
) -> None:
    url = make_url(mysql_url)
    editor = pymysql.connect(
        unix_socket=str(url.query["unix_socket"]), user=url.username, database=url.database
    )
    with editor.cursor() as cursor:
        cursor.execute("UPDATE translations SET value = %s WHERE locale = 'en'", ["--- new\n"])
    resting.until(lambda: resting.loop.told)
    resting.turn()
    assert not resting.relies()
    assert resting.loop.questions() == []
    editor.commit()
    editor.close()
    assert resting.until(resting.says("new")) < WITHIN


def test_texts_of_another_scope_end_no_wait(door: Door, there: Database) -> None:
    there.store("en", {"word": "old"})
    for resting in rested(Resting(door, scope="shop")):
        resting.reads.clear()
        there.store("en", {"word": "new"})
        resting.turn(at_most=0.3)
        assert not resting.loop.told
        assert not resting.reads
        shop = Database(door, scope="shop")
        shop.store("en", {"word": "in the shop"})
        assert resting.until(resting.says("in the shop")) < WITHIN
        shop.close()


def test_of_very_many_scopes_nothing_is_asked(
    resting: Resting, there: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(along, "MOST", 0)
    assert resting.loop.questions() == []
    assert not resting.relies()
    there.store("en", {"word": "new"})
    assert resting.until(resting.says("new")) < WITHIN
