"""Database URLs as people write them: read, and shown without the password."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.engine.url import URL, make_url
from sqlalchemy.exc import ArgumentError

from bide.errors import SettingsError

HIDDEN = "***"


def url_of(target: str | URL | Engine) -> URL:
    """The URL of a database; SettingsError, which does not repeat it, when it cannot be read."""
    if isinstance(target, Engine):
        return target.url
    try:
        return make_url(target)
    except (ArgumentError, ValueError):
        raise SettingsError(
            "the database URL cannot be read (it is not repeated here, for its password); write it as "
            "postgresql://user:password@host:5432/name or sqlite:///file.db, with special characters "
            "in percent encoding, e.g. %40 for @"
        ) from None


def refusal_of(url: URL, why: str) -> SettingsError:
    """The error for options that the driver does not take; SQLite's are checked by us."""
    return SettingsError(
        f"the database URL {shown(url)!r} has options that cannot be used: {' '.join(why.split())}; "
        "correct what stands behind the ? or the address itself"
    )


def shown(target: Any) -> str:
    """A URL or engine for logs and messages: what may be a password is hidden."""
    try:
        url = url_of(target)
    except SettingsError:
        return HIDDEN
    secret = [name for name in url.query if "pass" in name.lower() or "secret" in name.lower()]
    return url.update_query_dict(dict.fromkeys(secret, HIDDEN)).render_as_string()
