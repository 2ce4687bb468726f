"""What must not be shown: values whose names say so, in text as well, and passwords in addresses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

HIDDEN: Final = "••••••"

#: What may follow a name and a sign: a quoted value (which may have been cut off), one that is bracketed
#: (to the end of its line), one behind a scheme such as Bearer, or a word with the pairs of a cookie.
_VALUE: Final = (
    r"[bru]{0,2}\"(?:[^\"\\\n]|\\.)*\"?|[bru]{0,2}'(?:[^'\\\n]|\\.)*'?"
    r"|[\[({][^\n]*"
    r"|(?:bearer|basic|digest|negotiate|token|apikey)\s+\S+"
    r"|[^\s,;&)}\]]+(?:;\s*[^\s=;,]+=[^\s,;&)}\]]+)*"
)
_IN_ADDRESS: Final = re.compile(r"(://[^\s/:@]*:)[^\s/]+(?=@)")
#: The same where a text was cut off: all but what may be a port.
_CUT_OFF: Final = re.compile(r"(://[^\s/:@]*:)(?!\d{1,5}\Z)[^\s/@]+\Z")


class Redaction:
    """Hides the values of names that contain one of `names`, in whatever case; without names, nothing."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        # `api_key` is also api-key and apiKey.
        named = "|".join(re.escape(one).replace("_", "[_-]?") for one in self._names)
        self._name = re.compile(named, re.IGNORECASE)
        # The length of a name is bounded, so that no text takes long.
        self._named = re.compile(
            rf"((?:{named})[\w-]{{0,80}}\\?[\"']?\s*[:=]+>?\s*)(?:{_VALUE})", re.IGNORECASE
        )

    def hides(self, name: str) -> bool:
        """Whether values of this name are not shown."""
        return bool(self._names) and self._name.search(name) is not None

    def text(self, text: str) -> str:
        """A message or a traceback, without what stands behind such a name."""
        if not self._names:
            return text
        return _IN_ADDRESS.sub(rf"\1{HIDDEN}", self._named.sub(rf"\1{HIDDEN}", text))

    def beginning(self, text: str) -> str:
        """The same for the beginning of a text, whose rest may be hidden too."""
        told = self.text(text)
        return _CUT_OFF.sub(rf"\1{HIDDEN}", told) if self._names else told
