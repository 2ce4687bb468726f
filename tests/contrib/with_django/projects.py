"""Django projects of tests: their databases, and running their commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url


def database(url: str) -> dict[str, Any]:
    """A URL as an entry of settings.DATABASES."""
    parts = make_url(url)
    if parts.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": parts.database}
    vendor = "postgresql" if parts.get_backend_name() == "postgresql" else "mysql"
    query = dict(parts.query)
    return {
        "ENGINE": f"django.db.backends.{vendor}",
        "NAME": parts.database,
        "USER": parts.username or "",
        "PASSWORD": parts.password or "",
        "HOST": query.get("unix_socket") or query.get("host") or parts.host or "",
        "PORT": str(parts.port or query.get("port") or ""),
    }


def run(
    folder: Path, *arguments: str, timeout: float = 100, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python with these arguments in a project's folder."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**known, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "default", **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def as_json(databases: dict[str, Any]) -> str:
    """For settings that read them from the environment."""
    return json.dumps(databases)
