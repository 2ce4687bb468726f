"""Bide's texts in the language of the request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.utils import timezone, translation

from bide.contrib.django.application import project_app
from bide.errors import TextError
from bide.i18n.zones import with_time_zone


class TextsMiddleware:
    """Put it behind LocaleMiddleware: t and l speak the request's language in its time zone, and one
    state of the texts serves the whole request."""

    sync_capable = async_capable = True

    def __init__(self, get_response: Callable[[Any], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: Any) -> Any:
        """The answer, made within the texts of the request's language."""
        if iscoroutinefunction(self.get_response):
            return self._awaited(request)
        with spoken():
            return self.get_response(request)

    async def _awaited(self, request: Any) -> Any:
        answer: Awaitable[Any] = self.get_response(request)
        with spoken():
            return await answer


@contextmanager
def spoken() -> Iterator[None]:
    """Bide's texts in the language and time zone that are active in Django."""
    i18n = project_app().i18n
    language = translation.get_language()
    if i18n is None or language is None:
        yield
        return
    known = {str(name).lower(): name for name in i18n.available_locales}
    locale = known.get(language.lower()) or known.get(language.partition("-")[0].lower())
    with i18n.with_locale(locale or i18n.default_locale), i18n.pinned():
        zone = timezone.get_current_timezone_name()
        with with_time_zone(zone if _is_known(zone) else None):
            yield


def _is_known(zone: str) -> bool:
    try:
        with with_time_zone(zone):
            return True
    except TextError:
        return False
