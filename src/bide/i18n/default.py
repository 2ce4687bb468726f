"""The I18n that the functions t, l and with_locale of bide.i18n speak to."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from bide.errors import TextError
from bide.i18n.translator import I18n

_default: list[I18n] = []


def set_default(i18n: I18n | None) -> None:
    """Let the functions of bide.i18n speak to `i18n` (app.use does this); None takes it away."""
    _default[:] = [] if i18n is None else [i18n]


def default() -> I18n:
    """The I18n given to app.use or set_default. Raises TextError when there is none."""
    if not _default:
        raise TextError("no I18n is in use: call app.use(i18n) or bide.i18n.set_default(i18n)")
    return _default[0]


def t(key: Any = None, /, **options: Any) -> Any:
    """I18n.t of the default I18n."""
    return default().t(key, **options)


def t_strict(key: Any = None, /, **options: Any) -> Any:
    """I18n.t_strict of the default I18n."""
    return default().t_strict(key, **options)


def l(value: Any, **options: Any) -> Any:  # noqa: E743 - the gem's short name
    """I18n.l of the default I18n."""
    return default().l(value, **options)


def exists(key: Any, locale: Any = None, **options: Any) -> bool:
    """I18n.exists of the default I18n."""
    return default().exists(key, locale, **options)


def transliterate(text: str, replacement: Any = None, **options: Any) -> Any:
    """I18n.transliterate of the default I18n."""
    return default().transliterate(text, replacement, **options)


def with_locale(locale: Any) -> AbstractContextManager[None]:
    """I18n.with_locale of the default I18n."""
    return default().with_locale(locale)
