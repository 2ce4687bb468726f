"""Moments as Bide's tables hold them, for Django's models."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models
from django.utils import timezone

from bide.db.dialects import moment_in


class MomentField(models.DateTimeField):
    """Always UTC in the database; aware in Python, or naive local time where USE_TZ is off."""

    def get_internal_type(self) -> str:
        """One of our own, so that no converter of Django's touches the value before us."""
        return "BideMoment"

    def db_type(self, connection: Any) -> str:
        """The type of the column, which migrations of Bide make."""
        return {"postgresql": "timestamptz", "mysql": "datetime(6)"}.get(connection.vendor, "text")

    def from_db_value(self, value: Any, _expression: Any, connection: Any) -> datetime | None:
        """What the driver gave, as the project writes moments."""
        if value is None:
            return None
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            here = connection.vendor == "postgresql"  # its driver answers in the session's zone
            value = value.replace(tzinfo=ZoneInfo(connection.timezone_name) if here else UTC)
        moment: datetime = value if settings.USE_TZ else timezone.make_naive(value)
        return moment

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """A moment as the column holds it."""
        if not prepared:
            value = self.get_prep_value(value)
        if not isinstance(value, datetime):
            return value
        aware = value if timezone.is_aware(value) else timezone.make_aware(value)
        return moment_in(connection.vendor, aware)
