"""A PgBouncer of the test's own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from servers.server import free_port
from waiting import wait_until


@contextmanager
def pooled(mode: str, server: Any, directory: Path) -> Iterator[str]:
    """The URL of a PgBouncer before `server`; skips the test where there is none."""
    program = next(
        (p for p in ("/usr/sbin/pgbouncer", "/usr/bin/pgbouncer") if Path(p).exists()), ""
    )
    if not program:
        pytest.skip("apt-get install pgbouncer")
    port = free_port()
    configuration = directory / "pgbouncer.ini"
    directory.chmod(0o755)
    configuration.write_text(
        f"[databases]\npostgres = host={server.directory} port={server.port or 5432} user=postgres\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
        f"unix_socket_dir =\npool_mode = {mode}\nignore_startup_parameters = extra_float_digits\n"
    )
    as_user = {"user": "nobody"} if os.geteuid() == 0 else {}
    for parent in configuration.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    with (directory / "pgbouncer.log").open("w") as log:
        process = subprocess.Popen([program, configuration], stdout=log, stderr=log, **as_user)  # type: ignore[call-overload]
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres?gssencmode=disable"
    try:
        wait_until(lambda: answers(url), within=20)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error:
        return False
    return True
