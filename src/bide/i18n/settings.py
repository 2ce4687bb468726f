"""The settings of an I18n as attributes, and the state of the texts that they go with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bide.errors import InvalidLocale, InvalidTextArgument, UnsupportedMethod
from bide.i18n.backends.base import Backend
from bide.i18n.config import Config
from bide.i18n.guarded import Guard
from bide.i18n.locales import LocaleFallbacks, locale_name
from bide.i18n.views import View


class Settings:
    """A Config and a backend that may be replaced; each change makes a new View at the next use."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._guard = Guard()
        settings = dict(settings)
        load_path = settings.pop("load_path", None)
        self._config = Config().with_(
            **{name: _clean(name, value) for name, value in settings.items()}
        )
        self._first_load_path = load_path
        self.drop_view()

    @property
    def config(self) -> Config:
        """All settings in one frozen object; replace it by a copy (`config.with_(...)`)."""
        return self._config

    @config.setter
    def config(self, config: Config) -> None:
        if not isinstance(config, Config):
            raise InvalidTextArgument(f"{config!r} is no Config; use i18n.config.with_(...)")
        self._config = config
        self.drop_view()

    def drop_view(self) -> None:
        """Take a new state of the texts at the next use."""
        self._live = View(self._config)

    def _current(self) -> View:
        live = self._live
        if hasattr(live, "backend"):
            return live
        # A change meanwhile puts another View in place: what is bound here then serves this call
        # alone.
        live.bind(self._backend)
        return live

    @property
    def backend(self) -> Backend:
        """Where the texts come from."""
        return self._backend

    @backend.setter
    def backend(self, backend: Backend) -> None:
        if not isinstance(backend, Backend):
            raise InvalidTextArgument(
                f"{backend!r} is no backend; use e.g. Simple('locales/*.yml')"
            )
        self._backend = backend
        backend.on_change(self.drop_view)
        if self._first_load_path is not None:
            self.load_path, self._first_load_path = self._first_load_path, None
        self.drop_view()

    @property
    def load_path(self) -> tuple[Any, ...]:
        """Where the backend's files are (of the first that reads files); setting it reloads."""
        path: tuple[Any, ...] = getattr(_reader(self._backend), "load_path", ())
        return path

    @load_path.setter
    def load_path(self, load_path: Any) -> None:
        reader = _reader(self._backend)
        if reader is None:
            raise UnsupportedMethod("load_path", type(self._backend).__name__, "it reads no files")
        reader.load_path = (load_path,) if isinstance(load_path, str) else tuple(load_path)

    @property
    def default_locale(self) -> str:
        """The locale where none was chosen."""
        return self.config.default_locale

    @default_locale.setter
    def default_locale(self, locale: str) -> None:
        self._current_usable(locale_name(locale))
        self._set(default_locale=locale)

    def _current_usable(self, locale: str) -> None:
        from_here = self._current()
        if not from_here.usable(locale):
            raise InvalidLocale(locale)

    @property
    def available_locales(self) -> list[str]:
        """The locales set here, else those that the backend has texts for."""
        listed = self.config.available_locales
        if listed is not None:
            return [*listed]
        return [*self._current().backend.available_locales()]

    @available_locales.setter
    def available_locales(self, locales: str | Iterable[str] | None) -> None:
        self._set(available_locales=locales)

    @property
    def enforce_available_locales(self) -> bool:
        """Whether a locale that is not available raises InvalidLocale."""
        return self.config.enforce_available_locales

    @enforce_available_locales.setter
    def enforce_available_locales(self, enforce: bool) -> None:
        self._set(enforce_available_locales=enforce)

    @property
    def default_separator(self) -> str:
        """What separates the parts of a key."""
        return self.config.default_separator

    @default_separator.setter
    def default_separator(self, separator: str) -> None:
        self._set(default_separator=separator)

    @property
    def exception_handler(self) -> Any:
        """Called with (error, locale, key, options) for a missing text; its result is shown."""
        return self.config.exception_handler

    @exception_handler.setter
    def exception_handler(self, handler: Any) -> None:
        self._set(exception_handler=handler)

    @property
    def missing_interpolation_argument_handler(self) -> Any:
        """Called with (name, values, text) for a placeholder without a value."""
        return self.config.missing_interpolation_argument_handler

    @missing_interpolation_argument_handler.setter
    def missing_interpolation_argument_handler(self, handler: Any) -> None:
        self._set(missing_interpolation_argument_handler=handler)

    @property
    def interpolation_patterns(self) -> tuple[str, ...]:
        """Further patterns of placeholders, regular expressions whose group 1 is the name."""
        return self.config.interpolation_patterns

    @interpolation_patterns.setter
    def interpolation_patterns(self, patterns: Iterable[str]) -> None:
        self._set(interpolation_patterns=patterns)

    @property
    def fallbacks(self) -> Any:
        """What the ability Fallbacks looks through: anything with `[locale]`, or a list."""
        return self.config.fallbacks

    @fallbacks.setter
    def fallbacks(self, fallbacks: Any) -> None:
        self._set(fallbacks=fallbacks)

    def reserve_key(self, name: str) -> None:
        """Make a name an option that is never a value (for abilities with options of their own)."""
        self._set(reserved_names=self.config.reserved_names | {str(name)})

    def _set(self, **changes: Any) -> None:
        clean = {name: _clean(name, value) for name, value in changes.items()}
        self.config = self._config.with_(**clean)


def _reader(backend: Any) -> Any:
    if hasattr(backend, "load_path"):
        return backend
    for below in (getattr(backend, "inner", None), *getattr(backend, "members", ())):
        found = _reader(below) if below is not None else None
        if found is not None:
            return found
    return None


def _clean(name: str, value: Any) -> Any:
    if name == "default_locale":
        return locale_name(value)
    if name == "available_locales" and value is not None:
        return tuple(map(locale_name, [value] if isinstance(value, str) else value))
    if name == "interpolation_patterns":
        return tuple(value)
    if name == "fallbacks" and isinstance(value, (str, list, tuple)):
        return LocaleFallbacks(*([value] if isinstance(value, str) else value))
    if name == "plural_rules" and value not in ("cldr", "simple"):
        raise InvalidTextArgument(f"plural_rules={value!r}; use 'cldr' or 'simple'")
    if name == "default_separator" and (not isinstance(value, str) or not value):
        raise InvalidTextArgument(f"{value!r} is no separator; the usual one is '.'")
    return value
