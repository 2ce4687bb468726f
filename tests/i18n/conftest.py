"""A database with the tables of texts, of each kind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bide.db.engine import Database
from bide.db.migrate import migrate
from bide.i18n.migrations import TEXTS


@pytest.fixture
def door(database_url: str) -> Iterator[Database]:
    """Migrated, and closed when the test is over."""
    door = Database(database_url)
    migrate(door, TEXTS)
    yield door
    door.close()
