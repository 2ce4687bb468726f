"""The tables of texts as SQLAlchemy knows them: the i18n gem's own, and Bide's beside it."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from sqlalchemy import Boolean, Column, DateTime, Integer, MetaData, String, Table, Text

from bide.db.types import Big, LongText, Moment

TRANSLATIONS = "translations"
"""What i18n-active_record calls its table."""


class Tables(NamedTuple):
    """The table of texts, and the side tables of one prefix."""

    translations: Table
    versions: Table
    history: Table
    notes: Table
    missing: Table
    proposals: Table
    locales: Table
    uses: Table
    readers: Table


@cache
def tables(prefix: str = "bide_", translations: str = TRANSLATIONS) -> Tables:
    """The tables by name. Only columns: the migrations own everything else."""
    schema = MetaData()

    def table(name: str, *columns: Column[object]) -> Table:
        return Table(name, schema, *columns)

    return Tables(
        translations=table(
            translations,
            Column("id", Big, primary_key=True),
            Column("scope", String),
            Column("locale", String),
            Column("key", String),
            Column("value", Text),
            Column("interpolations", Text),
            Column("is_proc", Boolean),
            Column("created_at", DateTime),
            Column("updated_at", DateTime),
        ),
        versions=table(
            f"{prefix}text_versions",
            Column("scope", String, primary_key=True),
            Column("version", Big),
            Column("changed_at", Moment),
        ),
        history=table(
            f"{prefix}text_history",
            Column("id", Big, primary_key=True),
            Column("scope", String),
            Column("locale", String),
            Column("key", String),
            Column("action", String),
            Column("old_value", LongText),
            Column("new_value", LongText),
            Column("is_proc", Boolean),
            Column("author", String),
            Column("version", Big),
            Column("created_at", Moment),
        ),
        notes=table(
            f"{prefix}text_notes",
            Column("scope", String, primary_key=True),
            Column("locale", String, primary_key=True),
            Column("key", String, primary_key=True),
            Column("state", String),
            Column("note", LongText),
            Column("based_on", LongText),
            Column("author", String),
            Column("updated_at", Moment),
            Column("version", Big),
            Column("proposals", Integer),
        ),
        missing=table(
            f"{prefix}text_missing",
            Column("scope", String, primary_key=True),
            Column("locale", String, primary_key=True),
            Column("key", String, primary_key=True),
            Column("names", LongText),
            Column("place", LongText),
            Column("asked", Integer),
            Column("first_seen", Moment),
            Column("last_seen", Moment),
        ),
        proposals=table(
            f"{prefix}text_proposals",
            Column("id", Big, primary_key=True),
            Column("scope", String),
            Column("locale", String),
            Column("key", String),
            Column("kind", String),
            Column("value", LongText),
            Column("based_on", LongText),
            Column("author", String),
            Column("created_at", Moment),
        ),
        locales=table(
            f"{prefix}text_locales",
            Column("scope", String, primary_key=True),
            Column("locale", String, primary_key=True),
            Column("state", String),
            Column("author", String),
            Column("updated_at", Moment),
        ),
        uses=table(
            f"{prefix}text_uses",
            Column("scope", String, primary_key=True),
            Column("key", String, primary_key=True),
            Column("place", LongText),
            Column("used_at", Moment),
        ),
        readers=table(
            f"{prefix}text_readers",
            Column("id", String, primary_key=True),
            Column("host", String),
            Column("space", String),
            Column("pid", Integer),
            Column("program", String),
            Column("texts", String),
            Column("versions", LongText),
            Column("seen_at", Moment),
        ),
    )
