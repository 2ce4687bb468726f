"""Values as notes and proposals keep them: JSON, the same for equal values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bide.errors import InvalidTextArgument


def stored(value: Any) -> str | None:
    """`value` as text; None for None. Raises InvalidTextArgument for what is no value of a text."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        value = {str(form): text for form, text in value.items() if text is not None}
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise InvalidTextArgument(f"{value!r:.80} is no text, number, list or forms") from error


def loaded(text: str | None) -> Any:
    """The value again."""
    return None if text is None else json.loads(text)
