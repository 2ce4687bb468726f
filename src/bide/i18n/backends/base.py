"""What every backend can do, and the one way a text is found, chosen and filled."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol, Self

from bide.errors import (
    InvalidLocale,
    InvalidPluralizationData,
    InvalidTextArgument,
    MissingTranslation,
    ReservedInterpolationKey,
    UnsupportedMethod,
)
from bide.i18n.config import Config
from bide.i18n.interpolation import interpolate, reserved_pattern
from bide.i18n.keys import Key, path, split
from bide.i18n.localize import localized
from bide.i18n.plurals import CATEGORIES
from bide.i18n.transliterate import transliterator
from bide.i18n.trees import handed_out

Options = Mapping[str, Any]

TRAIL = "link_trail"
UNSURE: Any = type("Unsure", (), {"__repr__": lambda _: "UNSURE"})()
_LONGEST_TRAIL = 50
# Options that steer the search and mean nothing to a text that is a callable.
_STEERING = frozenset(
    {"default", "scope", "separator", "object", "resolve", "cascade", "fallback", TRAIL,
     "fallback_in_progress", "fallback_original_locale", "skip_interpolation",
     "deep_interpolation"}
)  # fmt: skip


class Engine(Protocol):
    """What a backend may ask of the I18n that uses it."""

    @property
    def config(self) -> Config:
        """The settings."""

    def ask(self, locale: str, key: Any, options: Options) -> Any:
        """Translate through the whole configured stack; raises MissingTranslation."""

    def usable(self, locale: str) -> bool:
        """Whether enforcement allows the locale."""

    def fallbacks(self, locale: str) -> Sequence[str]:
        """The locales to look in, the wanted one first."""

    def category(self, locale: str, count: Any) -> str:
        """The plural category of a count."""


class Backend:
    """A source of texts. A subclass gives `lookup` and `available_locales`, and usually `store`.

    The object an application makes only holds the data (and opens nothing when made). What answers
    is its `view`: a bound copy that serves one state for ever; `changed()` asks for a new one.
    Inside a view `self.engine` is the I18n, and `self.top` the outermost ability of the stack, so
    that every step goes through whatever wraps this backend.
    """

    subtrees = True
    """Whether a lookup can find a whole namespace."""
    edited_live = False
    """Texts come from people while the program runs: a placeholder that cannot be filled falls
    through to the next member of a Chain instead of raising."""
    engine: Engine
    top: Backend

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy that answers for one state. `spread`: abilities that wrap every source."""
        seen = copy.copy(self)
        seen.engine = engine
        seen.top = top or seen
        return seen

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever a new view would answer differently."""
        self.__dict__.setdefault("_listeners", []).append(listener)

    def changed(self) -> None:
        """Tell whoever uses this backend to take a new view."""
        for listener in self.__dict__.get("_listeners", ()):
            listener()

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """The stored value of a key as it is (links and callables included), or None."""
        raise NotImplementedError(f"{type(self).__name__} must define lookup()")

    def available_locales(self) -> tuple[str, ...]:
        """The locales that have texts."""
        return ()

    def find_locales(self) -> None:
        """Let available_locales tell all locales, even if that opens a connection."""

    def static(self, locale: str, key: Any) -> Any:
        """The value (or link) that `translate` would use every time, None if there is none, or
        UNSURE."""
        return UNSURE

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """Add texts, over those that are there."""
        raise UnsupportedMethod("store", type(self).__name__, "it is read-only")

    def load(self, *files: Any) -> None:
        """Store the texts of files."""
        raise UnsupportedMethod("load", type(self).__name__, "it reads no files")

    def translations(self) -> dict[str, Any]:
        """All texts, nested by locale."""
        raise UnsupportedMethod("translations", type(self).__name__, "it cannot list its texts")

    def initialized(self, locale: str | None = None) -> bool:
        """Whether the texts (of a locale) are at hand."""
        return True

    def reload(self) -> None:
        """Forget what was read; the next lookup reads again."""
        self.changed()

    def eager_load(self) -> None:
        """Read everything now (before a fork, so that children share it)."""

    def files_changed(self) -> bool:
        """Whether a file that was read is different now (for development)."""
        return False

    def exists(self, locale: str, key: Any, options: Options) -> bool:
        """Whether the key has a value; a link to nowhere has none."""
        options = {**options, "count": None}
        entry = self.top.lookup(locale, key, options.get("scope"), options)
        return self.top.resolve_entry(locale, key, entry, options) is not None

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """The text of a key. Raises MissingTranslation, and what filling it raises."""
        if isinstance(key, (str, list, tuple)) and not key:
            raise InvalidTextArgument("a key must not be empty; pass None to use the default alone")
        if not locale:
            raise InvalidLocale(locale)
        if key is None and "default" not in options:
            return None
        entry = self._entry(locale, key, options)
        if entry is None:
            return None
        if not options:
            return self._checked(entry)
        return self.top.fill(locale, entry, options)

    def _entry(self, locale: str, key: Any, options: Options) -> Any:
        top, count = self.top, options.get("count")
        entry = None
        if key is not None:
            found = top.lookup(locale, key, options.get("scope"), options)
            entry = top.resolve_entry(locale, key, found, options)
            if entry is not None and count is not None:
                entry = top.pluralize(locale, entry, count)
        if entry is None and "default" in options:
            entry = top.default(locale, key, options["default"], options)
            if entry is not None and count is not None:
                entry = top.pluralize(locale, entry, count)
            if entry is None and options["default"] is None:
                return None
        if entry is None:
            top.missing(locale, key, options)
        return entry

    def missing(self, locale: str, key: Any, options: Options) -> NoReturn:
        """Raise MissingTranslation with every key that was considered."""
        separator = options.get("separator") or self.engine.config.default_separator
        default = options.get("default")
        tried = [key, *default] if isinstance(default, (list, tuple)) and default else [key]
        names = [
            ".".join((locale, *(path(each, options.get("scope"), separator) or ("no key",))))
            for each in tried
            if each is None or isinstance(each, (str, int, list, tuple))
        ]
        raise MissingTranslation(locale, key, dict(options), tuple(names))

    def default(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """The first default that gives something; a Key among them is another key."""
        rest = {name: value for name, value in options.items() if name != "default"}
        for each in subject if isinstance(subject, (list, tuple)) else [subject]:
            result = self.top.resolve(locale, key, each, rest)
            if result is not None:
                return result
        return None

    def resolve_entry(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """What a stored value stands for. Links are absolute: the scope does not apply to them."""
        if isinstance(subject, Key):
            options = {**options, "scope": None, "separator": None}
        return self.top.resolve(locale, key, subject, options)

    def resolve(self, locale: str, key: Any, subject: Any, options: Options) -> Any:
        """Follow links and call callables, unless `resolve=False`; None when that leads nowhere."""
        if type(subject) is str or options.get("resolve") is False:
            return subject
        try:
            if isinstance(subject, Key):
                return self.engine.ask(locale, subject, self._on_trail(locale, subject, options))
            if callable(subject):
                return self.top.resolve(locale, key, called(subject, key, options), options)
        except MissingTranslation:
            return None
        return subject

    def _on_trail(self, locale: str, subject: Key, options: Options) -> dict[str, Any]:
        trail = options.get(TRAIL, ())
        here = (locale, subject, str(options.get("scope")))
        if here in trail or len(trail) > _LONGEST_TRAIL:
            raise MissingTranslation(locale, subject)
        return {**options, "skip_interpolation": True, TRAIL: (*trail, here)}

    def pluralize(self, locale: str, entry: Any, count: Any) -> Any:
        """The form of `entry` for a count; what is no dict stays as it is."""
        if not isinstance(entry, Mapping) or count is None:
            return entry
        forms = plural_forms(entry)
        if count == 0 and "zero" in forms:
            return forms["zero"]
        category = "other" if count == -1 else self.engine.category(locale, count)
        if category not in forms and category not in ("one", "zero"):
            category = "other" if "other" in forms else category
        return chosen(forms, category, count)

    def fill(self, locale: str, entry: Any, options: Options) -> Any:
        """Interpolate the values among the options, if there are any."""
        reserved = self.engine.config.reserved_names
        values = {name: value for name, value in options.items() if name not in reserved}
        values.pop(TRAIL, None)
        if not values or options.get("skip_interpolation"):
            return self._checked(entry)
        if options.get("deep_interpolation"):
            return self._filled_deeply(locale, entry, values)
        return self.top.interpolate(locale, entry, values)

    def _checked(self, entry: Any) -> Any:
        if isinstance(entry, str):
            self._refuse_reserved(entry)
        return entry

    def _refuse_reserved(self, text: str) -> None:
        if "%{" in text:
            match = reserved_pattern(self.engine.config.reserved_names).search(text)
            if match:
                raise ReservedInterpolationKey(match[1], text)

    def _filled_deeply(self, locale: str, entry: Any, values: Options) -> Any:
        if isinstance(entry, Mapping):
            return {part: self._filled_deeply(locale, each, values) for part, each in entry.items()}
        if isinstance(entry, (list, tuple)):
            return tuple(self._filled_deeply(locale, each, values) for each in entry)
        return self.top.interpolate(locale, entry, values)

    def interpolate(self, locale: str, entry: Any, values: Options) -> Any:
        """Fill the placeholders of a text, or of every text in a list."""
        if isinstance(entry, (list, tuple)):
            return tuple(self.top.interpolate(locale, each, values) for each in entry)
        if not isinstance(entry, str) or isinstance(entry, Key):
            return entry
        self._refuse_reserved(entry)
        config = self.engine.config
        handler = config.missing_interpolation_argument_handler
        return interpolate(entry, values, handler, config.interpolation_patterns)

    def localize(self, locale: str, moment: Any, format_: Any, options: Options) -> str:
        """A date or time as text; see bide.i18n.localize."""
        return localized(
            lambda key, given: self.engine.ask(locale, key, given), moment, format_, dict(options)
        )

    def transliterate(self, locale: str, text: str, replacement: Any) -> str:
        """A text in ASCII, by the rule stored at `i18n.transliterate.rule`."""
        try:
            rule = self.engine.ask(locale, Key("i18n.transliterate.rule"), {"resolve": False})
        except MissingTranslation:
            rule = None
        return transliterator(rule)(text, replacement)

    def parts(self, key: Any, scope: Any, options: Options) -> tuple[str, ...]:
        """Scope and key in parts, by the separator of the call."""
        return path(key, scope, options.get("separator") or self.engine.config.default_separator)


CALLED: ContextVar[list[Any] | None] = ContextVar("bide_called_texts", default=None)
"""Collects the texts that were callables, for those who must not keep their answers."""


def called(subject: Callable[..., Any], key: Any, options: Options) -> Any:
    """What a callable text or default says for a key (or the object of l()) and the values."""
    given = {name: value for name, value in options.items() if name not in _STEERING}
    if (collected := CALLED.get()) is not None:
        collected.append(subject)
    return subject(options.get("object", key), **given)


def plural_forms(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The forms of a plural entry: all but its `attributes`."""
    return {str(part): value for part, value in entry.items() if part != "attributes"}


def chosen(forms: Mapping[str, Any], category: str, count: Any) -> Any:
    """The form of a category. A namespace without any plural form is handed back whole."""
    if category in forms:
        return forms[category]
    nested = any(isinstance(value, Mapping) for value in forms.values())
    if nested and not any(name in forms for name in CATEGORIES):
        return forms
    raise InvalidPluralizationData(handed_out(dict(forms)), count, category)


def locale_path(locale: str) -> list[str]:
    """A locale in parts: `en.x` is the namespace x of en."""
    return split(locale) if "." in locale else [locale]
