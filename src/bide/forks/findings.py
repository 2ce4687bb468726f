"""What the doctor says: one sentence for each thing that it looked at, and how bad it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

OK, WARNING, ERROR = "ok", "warning", "error"
_WORST_FIRST = (ERROR, WARNING, OK)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the doctor looked at: `level` (ok, warning, error), what was seen, what to do."""

    level: str
    subject: str
    text: str
    advice: str = ""

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then what is well; in the given order otherwise."""
    return sorted(findings, key=lambda each: _WORST_FIRST.index(each.level))
