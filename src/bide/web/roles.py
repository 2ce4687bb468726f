"""Who looks at the screens, and what they may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bide.errors import SettingsError

#: Each role includes those before it.
LADDERS: Final = (
    ("jobs.view", "jobs.operate", "jobs.administer"),
    ("texts.view", "texts.suggest", "texts.edit", "texts.approve", "texts.administer"),
)
EVERYTHING: Final = "everything"
_RANKS: Final = {name: (ladder, rank) for ladder in LADDERS for rank, name in enumerate(ladder)}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who uses the screens: `Viewer("ada", ["jobs.operate", "texts.edit:de"])`.

    `name` is what the audit list and the history of texts say. Roles: `jobs.view`, `jobs.operate`
    (retry, cancel, edit, pause), `jobs.administer` (delete, edit arguments); `texts.view`,
    `texts.suggest`, `texts.edit`, `texts.approve`, `texts.administer`; `everything`. Each includes
    those before it of its kind; `:locale` behind a role of texts limits it to that locale.
    Raises SettingsError for any other role.
    """

    name: str
    roles: frozenset[str] = field(default_factory=frozenset)

    def __init__(self, name: str, roles: Iterable[str] = (EVERYTHING,)) -> None:
        if not str(name).strip():
            raise SettingsError(f"{name!r} is no name of a viewer; pass what the audit list shows")
        object.__setattr__(self, "name", str(name))
        object.__setattr__(
            self, "roles", checked_roles([roles] if isinstance(roles, str) else roles)
        )

    def may(self, role: str, locale: str | None = None) -> bool:
        """Whether this viewer has `role`, for texts in `locale` (None: in any)."""
        return any(_includes(held, role, locale) for held in self.roles)


def checked_roles(roles: Iterable[str]) -> frozenset[str]:
    """The roles, all of them known; raises SettingsError."""
    named = frozenset(roles)
    for role in named:
        name, _, locale = role.partition(":")
        if role != EVERYTHING and (name not in _RANKS or (locale and name.startswith("jobs."))):
            raise SettingsError(
                f"unknown role {role!r}; the roles are {', '.join([*_RANKS, EVERYTHING])}, and "
                "texts.edit:de limits one of texts to a locale"
            )
    return named


def _includes(held: str, asked: str, locale: str | None) -> bool:
    if held == EVERYTHING:
        return True
    name, _, only = held.partition(":")
    (ladder, rank), (wanted, needed) = _RANKS[name], _RANKS[asked]
    if ladder is not wanted or rank < needed:
        return False
    return not only or locale is None or needed == 0 or only == locale
