"""The application that is measured: jobs that do nothing, in the database of BIDE_DATABASE_URL."""

from __future__ import annotations

import bide

app = bide.App.from_env()


@app.job
def nothing(number: int) -> None:
    """Do nothing."""


@app.job
async def nothing_async(number: int) -> None:
    """Do nothing, as a coroutine."""
