"""A text is looked for in its scope, then in the scopes around it."""

from __future__ import annotations

from typing import Any

from bide.errors import InvalidTextArgument
from bide.i18n.backends.base import Options
from bide.i18n.backends.wrapper import Wrapper


class Cascade(Wrapper):
    """`t("a.b.title", cascade=True)` also finds `a.title` and `title`.

    `cascade={"step": 1, "offset": 1}`: how many parts are cut off the scope at a time, and how
    many at the end of the key stay together.
    """

    spreads = True
    transparent = True

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """The innermost scope's value."""
        cascade = options.get("cascade")
        if not cascade:
            return self.inner.lookup(locale, key, scope, options)
        step, offset = _measures(cascade)
        parts = self.parts(key, scope, options)
        around, last = parts[:-offset], [parts[-offset:]]
        while True:
            result = self.inner.lookup(locale, _whole(last), _whole([around]), options)
            if result is not None or len(around) < step:
                return result
            around = around[:-step]


def _whole(parts: Any) -> Any:
    return [each for part in parts for each in part]


def _measures(cascade: Any) -> tuple[int, int]:
    given = cascade if isinstance(cascade, dict) else {}
    step, offset = given.get("step", 1), given.get("offset", 1)
    if not all(isinstance(each, int) and each > 0 for each in (step, offset)):
        raise InvalidTextArgument(
            f"cascade={cascade!r}: step and offset must be integers above 0, e.g. "
            "cascade={'step': 1, 'offset': 2}"
        )
    return step, offset
