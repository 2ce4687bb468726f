"""What a database can do, each answer with its reason; no other module asks which database it is."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from bide.errors import UnsupportedFeature

Version = tuple[int, ...]

#: Product -> oldest version that Bide runs on.
MINIMUM: Final[dict[str, Version]] = {
    "PostgreSQL": (12,),
    "MySQL": (8, 0, 17),
    "MariaDB": (10, 6),
    "SQLite": (3, 35),
}

#: Feature -> product -> first version that has it; a product that is not named never does.
FEATURES: Final[dict[str, dict[str, Version]]] = {
    "skip_locked": {"PostgreSQL": (9, 5), "MySQL": (8, 0, 1), "MariaDB": (10, 6)},
    "returning": {"PostgreSQL": (8, 2), "SQLite": (3, 35)},
    "notify": {"PostgreSQL": (9, 0)},
    "partial_index": {"PostgreSQL": (7, 2), "SQLite": (3, 8)},
    "sequence": {"PostgreSQL": (7, 0)},
    "transactional_ddl": {"PostgreSQL": (8, 0), "SQLite": (3, 0)},
    "server_clock": {"PostgreSQL": (8, 0), "MySQL": (5, 6), "MariaDB": (5, 3)},
    "safe_wal_reset": {"SQLite": (3, 51, 3)},
}

#: Product -> the kind that URLs and statement folders are named by.
KIND_OF: Final = {
    "PostgreSQL": "postgresql",
    "MySQL": "mysql",
    "MariaDB": "mysql",
    "SQLite": "sqlite",
}


class Dialect:
    """A database product in one version: `skip_locked`, `notify`, ... are true where it has them.

    Raises UnsupportedFeature when the version is older than Bide runs on.
    """

    def __init__(self, product: str, version: Version) -> None:
        self.product = product
        self.version = version
        self.kind = KIND_OF[product]
        if version < MINIMUM[product]:
            raise UnsupportedFeature(
                f"{self} is too old: Bide needs {product} {dotted(MINIMUM[product])} or newer"
            )

    def __str__(self) -> str:
        return f"{self.product} {dotted(self.version)}"

    def has(self, feature: str) -> bool:
        """Whether this version has `feature` (a key of FEATURES)."""
        since = FEATURES[feature].get(self.product)
        return since is not None and self.version >= since

    def require(self, feature: str) -> None:
        """Raise UnsupportedFeature, naming feature, version found and version needed, if it lacks."""
        if self.has(feature):
            return
        needed = " or ".join(f"{name} {dotted(since)}" for name, since in FEATURES[feature].items())
        raise UnsupportedFeature(f"{self} has no {feature.replace('_', ' ')}: it needs {needed}")


def dotted(version: Version) -> str:
    """(10, 11, 19) as 10.11.19."""
    return ".".join(map(str, version))


def moment_in(kind: str, moment: datetime) -> Any:
    """An aware moment as the columns of a database of this kind hold it, always UTC."""
    if kind == "postgresql":
        return moment
    if kind == "mysql":
        return moment.astimezone(UTC).replace(tzinfo=None)
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


def moment_from(value: Any) -> datetime:
    """The aware UTC moment that a column holds, whichever form the driver gives it."""
    if isinstance(value, str):
        return moment_of_text(value)
    if value.tzinfo is None:
        return value.replace(tzinfo=UTC)  # type: ignore[no-any-return]
    return value.astimezone(UTC)  # type: ignore[no-any-return]


@lru_cache(maxsize=1024)
def moment_of_text(value: str) -> datetime:
    """The same of text. Rows that are read together share most of their moments."""
    return moment_from(datetime.fromisoformat(value))
