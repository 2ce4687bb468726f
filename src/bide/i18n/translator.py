"""I18n: what an application asks for its texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar

from bide import clock
from bide.errors import (
    Disabled,
    InvalidLocale,
    InvalidTextArgument,
    MissingTranslation,
    MissingTranslationData,
    TextError,
)
from bide.i18n import numbers
from bide.i18n.backends.base import Backend
from bide.i18n.backends.simple import Simple
from bide.i18n.interpolation import interpolate, placeholder_names
from bide.i18n.keys import Key, normalize_keys
from bide.i18n.locales import LocaleFallbacks, locale_name
from bide.i18n.quick import Quick
from bide.i18n.settings import Settings
from bide.i18n.trees import handed_out
from bide.i18n.views import View
from bide.i18n.zones import in_zone

LOOK_AT_FILES_EVERY = 0.5

T = TypeVar("T")


class I18n(Settings):
    """`I18n(Simple("locales/*.yml"), default_locale="en")`. Opens and reads nothing until it is used.

    Every setting of Config is a keyword argument and an attribute. The current locale belongs to
    the context (a task, a thread, a request); the rest is the same for all.
    `reload_on_change=True` reads changed files again, for development.
    """

    def __init__(
        self, backend: Backend | None = None, *, reload_on_change: bool = False, **settings: Any
    ) -> None:
        self._locale: ContextVar[Any] = ContextVar("bide_locale", default=None)
        self._pinned: ContextVar[View | None] = ContextVar("bide_pinned_texts", default=None)
        #: One item for each context that has pinned a view: adding and removing need no lock.
        self._pins: list[View] = []
        self._quick = Quick(self._locale, self._pinned, self._slowly)
        super().__init__(settings)
        if type(self).t is I18n.t:
            self.__dict__["t"] = self._quick.t
        self._watching = reload_on_change
        self._looked = 0.0
        # A subclass that changes translate() must see every call.
        self._fast = type(self).translate is I18n.translate and not reload_on_change
        self.backend = Simple() if backend is None else backend

    def t(self, key: Any = None, /, *, locale: Any = None, **options: Any) -> Any:
        """The text of `key`, filled with the values among the options.

        Options: `locale`, `scope`, `default` (a text, a Key, a list of them, a callable), `count`,
        `separator`, `raise_`, `fallback`, `cascade`, `deep_interpolation`, `resolve`; everything
        else is a value. A missing text gives a message (see `exception_handler`), or with
        `raise_=True` MissingTranslationData. Source: translations.md 1.3.
        """
        if locale is not None:
            options["locale"] = locale
        return self._quick.t(key, **options)

    def _slowly(self, key: Any, options: dict[str, Any]) -> Any:
        """What was not at hand. A count may be new while its plan is known."""
        if len(options) == 1 and "count" in options:
            with suppress(LookupError, TypeError):
                text: str = self._quick.view().plans[self._locale.get()][key](options)
                return text
        return self.translate(key, **options)

    def drop_view(self) -> None:
        """Take a new state of the texts at the next use."""
        super().drop_view()
        with self._guard:
            self._quick.use(self._live)
            if self._pins:
                self._quick.pin(True)

    def translate(self, key: Any = None, /, **options: Any) -> Any:
        """The same as `t`, which comes here for all that it does not know yet. Subclasses may
        change it."""
        locale = self._locale_for("t", options.pop("locale", None))
        if isinstance(key, (list, tuple)):
            return [self._translated(locale, each, options) for each in key]
        return self._translated(locale, key, options)

    def t_strict(self, key: Any = None, /, **options: Any) -> Any:
        """`t` that raises MissingTranslationData for a missing text (the gem's `t!`)."""
        return self.t(key, **{**options, "raise_": True})

    def _translated(self, locale: str, key: Any, given: Mapping[str, Any]) -> Any:
        options = dict(given)
        raising, throwing = options.pop("raise_", False), options.pop("throw", False)
        handler = options.pop("exception_handler", None)
        if options.get("count") is True or options.get("count") is False:
            options["count"] = int(options["count"])
        view = self._view()
        try:
            result = handed_out(view.ask(locale, key, options))
        except MissingTranslation as missing:
            if throwing:
                raise
            if raising:
                raise _as_data(missing) from None
            return self._handled(missing, locale, key, options, handler)
        if self._fast:
            view.remember(locale, key)
        return result

    def _handled(
        self, error: Exception, locale: str, key: Any, options: dict[str, Any], handler: Any = None
    ) -> Any:
        handler = self.config.exception_handler if handler is None else handler
        if isinstance(handler, str):
            handler = getattr(self, handler)
        elif not callable(handler):
            handler = handler.call
        return handler(error, locale, key, options)

    def exists(self, key: Any, locale: Any = None, **options: Any) -> bool:
        """Whether there is a value (False is one; a link to nowhere is none)."""
        wanted = self._locale_for("exists", locale)
        if key is None or key in ("", [], ()):
            raise InvalidTextArgument("exists() needs a key, e.g. exists('users.title')")
        return self._view().backend.exists(wanted, key, options)

    def localize(
        self,
        value: Any,
        *,
        locale: Any = None,
        format: Any = None,  # noqa: A002 - the gem's word
        **options: Any,
    ) -> Any:
        """A date, time, number, list or time span as the locale writes it.

        `format`: for dates and times the name of a format (`"short"`, or `Key("short")`) or a
        pattern such as `"%d. %B"`; for numbers a CLDR pattern. `currency="EUR"` makes a number
        money; a list becomes an enumeration, a timedelta relative time ("in 3 hours").
        """
        wanted = self._locale_for("l", locale)
        if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
            return _number(value, wanted, format, options)
        if isinstance(value, timedelta):
            return numbers.relative_time(value, wanted)
        if isinstance(value, (list, tuple)):
            return numbers.enumeration(value, wanted, **options)
        named = Key("default") if format is None else format
        try:
            return self._view().backend.localize(wanted, in_zone(value), named, options)
        except MissingTranslation as missing:
            raise _as_data(missing) from None

    def transliterate(
        self, text: str, replacement: Any = None, *, locale: Any = None, **options: Any
    ) -> Any:
        """`text` in ASCII: "Ærø" becomes "AEro", what has no letter `?` or the replacement."""
        wanted = self._locale_for("transliterate", locale)
        raising, handler = options.get("raise_"), options.get("exception_handler")
        try:
            return self._view().backend.transliterate(wanted, text, replacement)
        except TextError as error:
            if raising:
                raise
            return self._handled(error, wanted, text, options, handler)

    l = localize  # noqa: E741 - the gem's short name

    def number(self, value: numbers.Number, *, locale: Any = None, **options: Any) -> str:
        """A number with the locale's separators."""
        return numbers.number(value, self._locale_for("number", locale), **options)

    def money(
        self, value: numbers.Number, currency: str, *, locale: Any = None, **options: Any
    ) -> str:
        """An amount with its currency, given by its ISO code."""
        return numbers.money(value, currency, self._locale_for("money", locale), **options)

    def percent(self, value: numbers.Number, *, locale: Any = None, **options: Any) -> str:
        """A share as a percentage: 0.25 is 25%."""
        return numbers.percent(value, self._locale_for("percent", locale), **options)

    def list(self, items: Sequence[object], *, locale: Any = None, **options: Any) -> str:
        """An enumeration: "a, b, and c"; with `style="or"` "a, b, or c"."""
        return numbers.enumeration(items, self._locale_for("list", locale), **options)

    def relative_time(self, moment: Any, *, locale: Any = None, **options: Any) -> str:
        """How far a moment or a timedelta is from now: "in 3 hours"."""
        return numbers.relative_time(moment, self._locale_for("relative_time", locale), **options)

    def interpolation_keys(self, key: Any, **options: Any) -> Sequence[str]:
        """The names of the placeholders of a text, or of the texts in a list."""
        if not isinstance(key, str):
            raise InvalidTextArgument(f"{key!r} is no key; pass a string")
        if not self.exists(key, **options):
            return []
        found = self.translate(key, **{**options, "resolve": False})
        return [*_names(found, self.config.interpolation_patterns)]

    def interpolate(self, text: str, /, **values: Any) -> str:
        """`text` with its placeholders filled."""
        view = self._view()
        view.backend.top.fill(self.config.default_locale, text, {})
        handler = self.config.missing_interpolation_argument_handler
        return interpolate(text, values, handler, self.config.interpolation_patterns)

    def normalize_keys(
        self, locale: Any, key: Any, scope: Any = None, separator: str | None = None
    ) -> Sequence[Any]:
        """Locale, scope and key as one list of parts."""
        return normalize_keys(locale, key, scope, separator or self.config.default_separator)

    @property
    def locale(self) -> Any:
        """The current locale of this context; False while texts are disabled."""
        current = self._locale.get()
        return self.config.default_locale if current is None else current

    @locale.setter
    def locale(self, locale: Any) -> None:
        self._locale.set(self._checked(locale))

    @contextmanager
    def with_locale(self, locale: Any) -> Iterator[None]:
        """Another locale for a while. None changes nothing; False disables texts, a guard against
        translating before the reader's language is known."""
        if locale is None:
            yield
            return
        token = self._locale.set(self._checked(locale))
        try:
            yield
        finally:
            self._locale.reset(token)

    def _checked(self, locale: Any) -> Any:
        if locale is None or locale is False:
            return locale
        name = locale_name(locale)
        self.enforce_locale(name)
        return name

    def _locale_for(self, method: str, given: Any) -> str:
        locale = self.locale if given is None else given
        if locale is False:
            raise Disabled(method)
        name = locale_name(locale)
        if name != self.config.default_locale:
            self.enforce_locale(name)
        return name

    def enforce_locale(self, locale: str) -> None:
        """Raise InvalidLocale unless the locale is available, or nothing is enforced."""
        if not self._view().usable(locale):
            raise InvalidLocale(locale)

    def locale_available(self, locale: str) -> bool:
        """Whether the locale is among the available ones."""
        return locale in self.available_locales

    @contextmanager
    def pinned(self) -> Iterator[None]:
        """One state of the texts for a whole request or job, whatever is edited meanwhile."""
        with self._with_view(self._pinned_or_live()):
            yield

    @contextmanager
    def with_fallbacks(self, *defaults: Any) -> Iterator[None]:
        """Other fallbacks for a while in this context (which also pins the texts)."""
        given = len(defaults) == 1 and not isinstance(defaults[0], str)
        fallbacks = defaults[0] if given else LocaleFallbacks(*defaults)
        view = View(self.config.with_(fallbacks=fallbacks))
        view.bind(self.backend)
        with self._with_view(view):
            yield

    @contextmanager
    def _with_view(self, view: View) -> Iterator[None]:
        pinned = self._pinned.set(view)
        self._pins.append(view)
        if view is not self._live:
            self._look(aside=True)
        try:
            yield
        finally:
            self._pinned.reset(pinned)
            self._pins.pop()
            if self._quick.aside:
                self._look(aside=False)

    def speaking(
        self,
        locale: str | None,
        body: Callable[[T], Any],
        subject: T,
        unspoken: Callable[[T, TextError], object],
    ) -> Any:
        """`body(subject)` as inside `with_locale(locale)` and `pinned()`, as often as for every job.

        `unspoken(subject, error)` is told of a locale that is not available, and none is set then.
        """
        view = self._live
        if self._pins or self._watching or locale not in view.spoken:
            view = self._pinned_or_live()
            try:
                locale = self._checked(locale)
            except TextError as error:
                unspoken(subject, error)
                locale = None
        token = None if locale is None else self._locale.set(locale)
        pinned = self._pinned.set(view)
        self._pins.append(view)
        # In this order: who changes the live view looks at the pins afterwards, so one sees the other.
        if view is not self._live:
            self._look(aside=True)
        try:
            try:
                return body(subject)
            finally:  # the time limit of a job may ring when a call returns: one here, one below
                del self._pins[-1]
                self._pinned.reset(pinned)
        finally:
            if token is not None:
                self._locale.reset(token)
            if self._quick.aside:
                self._look(aside=False)

    def _look(self, *, aside: bool) -> None:
        """While what is pinned is the live view, and where nothing is any more, everybody means that."""
        with self._guard:
            if aside or not self._pins:
                self._quick.pin(aside)

    def _pinned_or_live(self) -> View:
        return self._pinned.get() or self._view()

    def _view(self) -> View:
        if self._pins and (pinned := self._pinned.get()) is not None:
            return pinned
        if self._watching:
            self._look_at_files()
        return self._current()

    def _look_at_files(self) -> None:
        now = clock.monotonic()
        if now - self._looked >= LOOK_AT_FILES_EVERY:
            self._looked = now
            if self.backend.files_changed():
                self.reload()

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """Add texts at run time. Under enforcement with an explicit list, texts of other locales
        are left out."""
        listed = self.config.available_locales
        if self.config.enforce_available_locales and listed and locale not in listed:
            return
        self.backend.store(locale, data, **options)

    def reload(self) -> None:
        """Forget everything read; the next lookup reads again."""
        self.backend.reload()
        self.drop_view()

    def eager_load(self) -> None:
        """Read everything now, e.g. before workers are forked, so that they share it."""
        self.backend.eager_load()


def _as_data(missing: MissingTranslation) -> MissingTranslationData:
    return MissingTranslationData(missing.locale, missing.key, missing.options, missing.considered)


def _number(value: numbers.Number, locale: str, format_: Any, options: dict[str, Any]) -> str:
    pattern = format_ if isinstance(format_, str) else None
    if "currency" in options:
        return numbers.money(value, options["currency"], locale, pattern=pattern)
    return numbers.number(value, locale, pattern=pattern)


def _names(found: Any, patterns: tuple[str, ...]) -> Iterable[str]:
    if isinstance(found, (list, tuple)):
        for each in found:
            yield from _names(each, patterns)
    elif isinstance(found, str):
        yield from placeholder_names(found, patterns)
