"""What an import does with texts that are there already."""

from __future__ import annotations

from typing import Final, Literal

Mode = Literal["missing", "overwrite", "suggest"]
MODES: Final[tuple[Mode, ...]] = ("missing", "overwrite", "suggest")
