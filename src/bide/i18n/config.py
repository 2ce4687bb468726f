"""Everything about texts that is set once for the application: one frozen object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from bide.errors import InvalidTextArgument, MissingTranslation
from bide.i18n.interpolation import MissingHandler, raise_missing
from bide.i18n.locales import LocaleFallbacks

# handler(error, locale, key, options): what t() returns instead of a missing text.
ExceptionHandler = Callable[[Exception, str, Any, dict[str, Any]], Any]

RESERVED_NAMES = frozenset(
    ["cascade", "deep_interpolation", "skip_interpolation", "default", "exception_handler", "fallback", "fallback_in_progress", "fallback_original_locale", "format", "object", "raise", "resolve", "scope", "separator", "throw"]
)  # fmt: skip


def message_of_missing(error: Exception, _locale: str, _key: Any, _options: dict[str, Any]) -> Any:
    """The default handler: the message of a missing text; anything else is raised again."""
    if isinstance(error, MissingTranslation):
        return error.message
    raise error


@dataclass(frozen=True)
class Config:
    """The settings of an I18n. `available_locales` None asks the backend."""

    default_locale: str = "en"
    default_separator: str = "."
    enforce_available_locales: bool = True
    available_locales: tuple[str, ...] | None = None
    exception_handler: Any = message_of_missing
    missing_interpolation_argument_handler: MissingHandler = raise_missing
    interpolation_patterns: tuple[str, ...] = ()
    fallbacks: Mapping[str, Any] = field(default_factory=LocaleFallbacks)
    plural_rules: Literal["cldr", "simple"] = "cldr"
    reserved_names: frozenset[str] = RESERVED_NAMES

    def with_(self, **changes: Any) -> Config:
        """A changed copy. Raises InvalidTextArgument for unknown names."""
        known = {each.name for each in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise InvalidTextArgument(
                f"no such setting: {', '.join(unknown)}; there are {', '.join(sorted(known))}"
            )
        return replace(self, **changes)
