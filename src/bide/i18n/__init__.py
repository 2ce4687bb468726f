"""The texts, in the i18n gem's words."""

from typing import TYPE_CHECKING, Any

from bide.i18n.backends.base import Backend
from bide.i18n.backends.cache import Cache, MemoryStore
from bide.i18n.backends.cache_file import CacheFile
from bide.i18n.backends.cascade import Cascade
from bide.i18n.backends.chain import Chain
from bide.i18n.backends.fallbacks import Fallbacks
from bide.i18n.backends.flatten import Flatten
from bide.i18n.backends.gettext import Gettext
from bide.i18n.backends.interpolation_compiler import InterpolationCompiler
from bide.i18n.backends.key_value import KeyValue
from bide.i18n.backends.lazy import Lazy
from bide.i18n.backends.memoize import Memoize
from bide.i18n.backends.metadata import Metadata
from bide.i18n.backends.missing import Missing, MissingKey
from bide.i18n.backends.pluralization import Pluralization
from bide.i18n.backends.simple import Simple
from bide.i18n.backends.transliterator import Transliterator
from bide.i18n.backends.tree import TreeBackend
from bide.i18n.backends.used import Used
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.config import Config
from bide.i18n.default import (
    default,
    exists,
    l,
    set_default,
    t,
    t_strict,
    transliterate,
    with_locale,
)
from bide.i18n.gettext import GettextFunctions
from bide.i18n.interpolation import interpolate
from bide.i18n.keys import Key, flatten, normalize_flat_keys, normalize_keys
from bide.i18n.locales import LocaleFallbacks, Rfc4646Tag, SimpleTag, rfc4646_parents
from bide.i18n.plurals import plural_categories, plural_examples, plural_rule
from bide.i18n.translator import I18n
from bide.i18n.zones import time_zone, with_time_zone

if TYPE_CHECKING:
    from bide.i18n.backends.database import Database

__all__ = [
    "Backend", "Cache", "CacheFile", "Cascade", "Chain", "Config", "Database", "Fallbacks", "Flatten",
    "Gettext", "GettextFunctions", "I18n", "InterpolationCompiler", "Key", "KeyValue", "Lazy",
    "LocaleFallbacks", "Memoize", "MemoryStore", "Metadata", "Missing", "MissingKey",
    "Pluralization", "Rfc4646Tag", "Simple", "SimpleTag", "Transliterator", "TreeBackend",
    "Used", "Wrapper", "default", "exists", "flatten", "interpolate", "l", "normalize_flat_keys",
    "normalize_keys", "plural_categories", "plural_examples", "plural_rule", "rfc4646_parents",
    "set_default", "t", "t_strict", "time_zone", "transliterate", "with_locale", "with_time_zone",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the backend in a database at its first use: texts in files need no database."""
    if name != "Database":
        raise AttributeError(f"module 'bide.i18n' has no attribute {name!r}")
    from bide.i18n.backends.database import Database

    globals()[name] = Database
    return Database
