"""The pytest plugin of Bide: fixtures for applications that use it.

Nothing of Bide is imported until a fixture is used, so that coverage sees all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bide.app import App


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A fresh App with its tables in a SQLite file of this test. Define your own `app` to replace it."""
    from bide.app import App

    made = App(f"sqlite:///{tmp_path / 'bide.db'}")
    made.migrate()
    yield made
    made.close()
