"""Column types that mean the same in every database."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import TEXT, BigInteger, DateTime, Integer, String, Text
from sqlalchemy.types import TypeEngine, UserDefinedType


class Written(UserDefinedType[Any]):
    """A type by the words that create it, so that its dialect need not be imported for its sake."""

    cache_ok = True

    def __init__(self, words: str) -> None:
        self.words = words

    def get_col_spec(self, **_: Any) -> str:
        """What stands behind the column's name."""
        return self.words


#: timestamptz; DATETIME(6) in UTC; ISO text with microseconds, which sorts as time does.
Moment: Final[TypeEngine[Any]] = (
    DateTime(timezone=True)
    .with_variant(Written("DATETIME(6)"), "mysql", "mariadb")
    .with_variant(TEXT(), "sqlite")
)
#: Text of any length.
LongText: Final[TypeEngine[Any]] = Text().with_variant(Written("LONGTEXT"), "mysql", "mariadb")
#: A 64 bit number; SQLite gives only INTEGER keys a number by itself.
Big: Final[TypeEngine[Any]] = BigInteger().with_variant(Integer(), "sqlite")
#: Names that are compared and indexed.
Name: Final[TypeEngine[Any]] = String(255)
#: Keys made by programs: plain bytes, compared as such.
Key: Final[TypeEngine[Any]] = (
    String(64)
    .with_variant(String(64, collation="C"), "postgresql")
    .with_variant(Written("VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin"), "mysql", "mariadb")
)


#: A collation of utf8mb4 that compares bytes has two names; MySQL and MariaDB each read their own and
#: skip the other's.
EXACT: Final = "/*!80017 utf8mb4_0900_bin *//*M! utf8mb4_nopad_bin */"


def table_options() -> dict[str, Any]:
    """Arguments for every CREATE TABLE: MySQL must keep every character, and tell a name from the
    same in capitals, with another accent or with a space behind it.
    """
    options = {
        "engine": "InnoDB",
        "charset": "utf8mb4",
        "collate": EXACT,
        "row_format": "DYNAMIC",
    }
    return {
        f"{name}_{key}": value for name in ("mysql", "mariadb") for key, value in options.items()
    }
