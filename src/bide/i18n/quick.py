"""The first step of every lookup: texts that are known already, with as little in between as Python allows."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from bide.i18n.views import View

Lookup = Callable[..., Any]


class Quick:
    """Gives out the function `t`, and tells it which view to answer from.

    `t` is a closure over the memory of a view: a closure's variables cost less than an object's
    attributes, and a keyword that is not declared less than one with a default. While a context has
    pinned another view than the live one, `t` asks for the view of its context (`aside`).
    """

    def __init__(
        self, locale: ContextVar[Any], pinned: ContextVar[View | None], slowly: Lookup
    ) -> None:
        self._pinned = pinned
        self.aside = False
        self.t, self._remember = _made(locale.get, slowly)

    def use(self, live: View) -> None:
        """Answer from `live`."""
        self.live = live
        if not self.aside:
            self._remember(live.plain, live.plans, live.counted)

    def pin(self, pinned: bool) -> None:
        """Whether any context may have a view of its own."""
        self.aside = pinned
        if pinned:
            self._remember(
                _Picked(lambda: self.view().plain),
                _Picked(lambda: self.view().plans),
                _Picked(lambda: self.view().counted),
            )
        else:
            self.use(self.live)

    def view(self) -> View:
        """The view of this context."""
        return (self._pinned.get() if self.aside else None) or self.live


class _Picked(dict[Any, Any]):
    """The memory of whichever view is the context's."""

    def __init__(self, pick: Callable[[], dict[Any, Any]]) -> None:
        super().__init__()
        self._pick = pick

    def __missing__(self, locale: Any) -> Any:
        return self._pick()[locale]


def _made(here: Callable[[], Any], slowly: Lookup) -> tuple[Lookup, Callable[..., None]]:
    plain: dict[Any, Any] = {}
    plans: dict[Any, Any] = {}
    counted: dict[Any, Any] = {}

    def t(key: Any = None, /, **options: Any) -> Any:
        try:
            if not options:
                return plain[here()][key]
            if "count" in options and len(options) == 1:
                count = options["count"]
                if type(count) is int:
                    return counted[here()][key][count]
            if "locale" in options:
                if len(options) > 1:
                    return elsewhere(key, **options)
                # None is the default locale in the memory, and the current one to callers.
                spoken = options["locale"]
                return plain[here() if spoken is None else spoken][key]
            return plans[here()][key](options)
        except (LookupError, TypeError):
            pass
        return slowly(key, options)

    def elsewhere(key: Any, /, *, locale: Any, **options: Any) -> Any:
        return plans[here() if locale is None else locale][key](options)

    def remember(plain_: Any, plans_: Any, counted_: Any) -> None:
        nonlocal plain, plans, counted
        plain, plans, counted = plain_, plans_, counted_

    return t, remember
