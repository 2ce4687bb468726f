"""The backend of texts in a database, alone and in stacks, on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bide.db.engine import Database as Door
from bide.db.migrate import migrate
from bide.i18n import (
    Backend,
    Cascade,
    Chain,
    Database,
    Fallbacks,
    I18n,
    Memoize,
    Pluralization,
    Simple,
)
from bide.i18n.migrations import TEXTS
from bide.testing.backend_contract import BackendContract


@pytest.fixture(scope="module")
def doors(fresh_url: Callable[[str], str]) -> Iterator[Callable[[str], Door]]:
    """One migrated database of each kind."""
    made: dict[str, Door] = {}

    def door(kind: str) -> Door:
        if kind not in made:
            made[kind] = Door(fresh_url(kind))
            migrate(made[kind], TEXTS)
        return made[kind]

    yield door
    for each in made.values():
        each.close()


class InDatabase(BackendContract):
    holds_callables = False
    kind = "sqlite"

    @pytest.fixture(autouse=True)
    def _texts(self, doors: Callable[[str], Door]) -> Iterator[None]:
        self.door = doors(self.kind)
        self.door.run(lambda c: c.execute("DELETE FROM translations"))
        self.made: list[Database] = []
        yield
        for each in self.made:
            each.close()

    def database(self) -> Database:
        self.made.append(Database(self.door))
        return self.made[-1]

    def make_backend(self) -> Backend:
        return self.database()


class TestOnSQLite(InDatabase):
    """I18N-152, I18N-609."""


class TestOnPostgreSQL(InDatabase):
    kind = "postgresql"


class TestOnMySQL(InDatabase):
    kind = "mysql"


class InAChain(InDatabase):
    """What people wrote wrongly breaks no page: another member is asked."""

    def test_a_placeholder_without_its_value_raises(self, greeting: I18n) -> None:
        assert greeting.t("hi", foo="bar") == "Translation missing: en.hi"

    def test_the_name_of_an_option_is_no_placeholder(self, greeting: I18n) -> None:
        greeting.store("en", {"res": "a %{scope}"})
        assert greeting.t("res") == greeting.t("res", x=1) == "Translation missing: en.res"


class TestBeforeFiles(InAChain):
    def make_backend(self) -> Backend:
        return Chain(self.database(), Simple())


class TestUnderEverything(InAChain):
    def make_backend(self) -> Backend:
        chain = Chain(self.database(), Simple())
        return Fallbacks(Pluralization(Cascade(Memoize(chain))))
