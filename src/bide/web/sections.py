"""The parts of the screens that stand in the navigation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.routing import Route


class Section(NamedTuple):
    """A part of the screens: its word in the navigation is the text `bide.nav.<name>`."""

    name: str
    path: str
    #: Who sees it in the navigation; each route checks for itself.
    role: str
    routes: Sequence[Route]
