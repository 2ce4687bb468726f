"""Redis for the tests of connections over forks, from the system's package."""

from __future__ import annotations

import shutil
import signal
import socket
from functools import cache
from pathlib import Path
from typing import ClassVar

from servers.server import Server

WHERE = "apt-get install redis-server"


@cache
def program() -> str | None:
    return shutil.which("redis-server")


class Redis(Server):
    """A Redis that keeps nothing."""

    kind = "redis"
    stop_signals: ClassVar = {"fast": signal.SIGTERM, "immediate": signal.SIGKILL}

    @classmethod
    def template_name(cls) -> str:
        return cls.kind

    @staticmethod
    def make_data(directory: Path) -> None:
        """It needs no files."""

    def command(self) -> list[str]:
        places = ["--unixsocket", str(self.socket()), "--unixsocketperm", "777"]
        return [str(program()), "--port", str(self.port or 0), *places, "--save", ""]

    def socket(self) -> Path:
        return self.directory / "socket"

    def ping(self) -> None:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.socket()))
            client.sendall(b"PING\r\n")
            assert client.recv(7) == b"+PONG\r\n"

    def url(self, database: str = "0", *, tcp: bool = False) -> str:
        return f"redis://127.0.0.1:{self.port}/{database}" if tcp else f"unix://{self.socket()}"
