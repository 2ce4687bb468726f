"""Where a SQLite file may lie: on a local disk, never in memory alone."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

from sqlalchemy.engine.url import URL

from bide.errors import SettingsError, UnsupportedFeature

#: f_type of statfs(2) -> name.
_NETWORK: Final = {
    0x6969: "NFS",
    0x517B: "SMB",
    0xFF534D42: "CIFS",
    0xFE534D42: "SMB2",
    0x01021997: "9p",
    0x5346414F: "AFS",
    0x00C36400: "Ceph",
    0x0BD00BD0: "Lustre",
    0x47504653: "GPFS",
}


def file_of(url: URL) -> Path:
    """The absolute path of a SQLite URL's file; its directory must be there and local.

    Raises SettingsError for a database in memory, which no other connection could see, and for a
    missing directory; UnsupportedFeature for a network file system.
    """
    name = url.database or ":memory:"
    if name == ":memory:" or "mode=memory" in name or url.query.get("mode") == "memory":
        raise SettingsError(
            f"{url.render_as_string()!r} is a database in memory, which each connection has for "
            "itself; name a file, e.g. sqlite:///bide.db, or use the memory store in tests"
        )
    path = Path(name.removeprefix("file:").partition("?")[0]).absolute()
    if not path.parent.is_dir():
        raise SettingsError(f"the directory {str(path.parent)!r} of the database is not there")
    refuse_network(path.parent)
    return path


def refuse_network(directory: Path) -> None:
    """Raise UnsupportedFeature when `directory` lies on a network file system."""
    kind = _NETWORK.get(_file_system(directory))
    if kind:
        raise UnsupportedFeature(
            f"{str(directory)!r} lies on {kind}: SQLite's write-ahead log needs memory shared between "
            "processes, so the file must be on a local disk; or use PostgreSQL or MySQL"
        )


def _file_system(directory: Path) -> int:
    if not sys.platform.startswith("linux"):
        return 0
    answer = (ctypes.c_long * 32)()
    failed = ctypes.CDLL(None, use_errno=True).statfs(os.fsencode(directory), answer)
    return 0 if failed else answer[0] & 0xFFFFFFFF
