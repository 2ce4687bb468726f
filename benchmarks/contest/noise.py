"""What else the machine is doing: looked at before each run, told with the result."""

from __future__ import annotations

import os
import platform
import statistics
import time
from pathlib import Path
from typing import Any

import psutil

#: Part of one core that others may use before a result is called noisy.
QUIET = 0.15


class Noise:
    """Looks at the processors for a moment before each run."""

    def __init__(self) -> None:
        self.looks: list[float] = []

    def look(self, seconds: float = 0.3) -> None:
        """How much of one core is busy while the contest itself does nothing."""
        psutil.cpu_percent(None)
        time.sleep(seconds)
        self.looks.append(psutil.cpu_percent(None) / 100 * (os.cpu_count() or 1))

    @property
    def verdict(self) -> str:
        """Empty on a quiet machine; otherwise what to think of the figures."""
        if not self.looks or statistics.median(self.looks) <= QUIET:
            return ""
        busy = statistics.median(self.looks)
        return (
            f"NOISY: other programs used {busy:.1f} of {os.cpu_count()} cores at the median of "
            f"{len(self.looks)} looks; compare processor time and ratios, not rates"
        )


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "processor": processor(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
