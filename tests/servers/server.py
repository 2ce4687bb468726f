"""A database server of the tests' own: started, stopped, killed, frozen, and always ended."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, ClassVar, Self

import psutil

from waiting import wait_until

KEEPER = Path(__file__).with_name("keeper.py")


class Server:
    """What PostgreSQL and MariaDB have in common.

    `directory` is private to the server: data, socket, log, `pid`, and the file `users` whose shared
    lock keeps it alive (see keeper.py). Over `tcp` it listens on 127.0.0.1 with TLS offered.
    """

    kind: ClassVar[str]
    stop_signals: ClassVar[dict[str, signal.Signals]]

    def __init__(self, directory: Path, *, tcp: bool = False) -> None:
        self.directory = directory
        self.port = free_port() if tcp else None
        self.process: subprocess.Popen[bytes] | None = None
        self._users = (directory / "users").open("r+")
        fcntl.lockf(self._users, fcntl.LOCK_SH | fcntl.LOCK_NB)
        if not (directory / "users").exists():
            raise OSError(f"the server in {directory} has just ended")

    @classmethod
    def new(cls, *, tcp: bool = False) -> Self:
        """A fresh server, running."""
        directory = Path(tempfile.mkdtemp(prefix=f"bide-{cls.kind}-"))
        (directory / "users").touch()
        server = cls(directory, tcp=tcp)
        start_keeper(directory)
        files = template(cls.template_name(), cls.make_data)
        shutil.copytree(files, directory / "data", symlinks=True)
        give_away(directory)
        if tcp:
            make_certificate(directory)  # written by the server's user, who must own the directory
        server.start()
        return server

    @classmethod
    def template_name(cls) -> str:
        """Names kind and version, so that a new version makes its own files."""
        raise NotImplementedError

    @staticmethod
    def make_data(directory: Path) -> None:
        """Make the files of an empty server."""
        raise NotImplementedError

    def command(self) -> list[str]:
        raise NotImplementedError

    def socket(self) -> Path:
        """Its Unix socket."""
        raise NotImplementedError

    def ping(self) -> None:
        """Ask the server something; raises the driver's error while it does not answer."""
        raise NotImplementedError

    def version(self) -> str:
        raise NotImplementedError

    def url(self, database: str, *, tcp: bool = False) -> str:
        raise NotImplementedError

    def create_database(self, name: str) -> None:
        raise NotImplementedError

    def drop_database(self, name: str) -> None:
        """Drop it, whoever is still connected to it."""
        raise NotImplementedError

    def start(self, within: float = 30.0) -> None:
        """Start on the same files and the same port, and wait until it answers."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                **other_user(),
            )
        (self.directory / "pid").write_text(str(self.process.pid))
        wait_until(self.has_started, within=within)

    def has_started(self) -> bool:
        """Whether it accepts connections yet; AssertionError with its log when it has ended."""
        if self.process is not None and self.process.poll() is not None:
            log = (self.directory / "log").read_text(errors="replace")
            raise AssertionError(
                f"{self.kind} ended with {self.process.returncode}:\n{log[-4000:]}"
            )
        return self.answers()

    def answers(self) -> bool:
        """Whether it accepts connections."""
        try:
            knock(self.socket())
            self.ping()
        except Exception:  # noqa: BLE001 - each driver has its own error for "not yet"
            return False
        return True

    def stop(self, mode: str = "fast", within: float = 30.0) -> None:
        """`smart` waits for clients (PostgreSQL), `fast` ends their connections, `immediate` crashes."""
        self._end([self._running()], self.stop_signals[mode], within)

    def kill(self) -> None:
        """SIGKILL to all of its processes at once, as when the machine loses power."""
        self._end(self._family(), signal.SIGKILL, within=30.0)

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def freeze(self) -> None:
        """SIGSTOP to all of its processes: connections stay open and silent."""
        wait_until(self._stands, within=10.0)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    @contextmanager
    def frozen(self, seconds: float = 20.0) -> Iterator[threading.Timer]:
        """Frozen for the body, but no longer than so many seconds, after which the timer is not alive."""
        timer = threading.Timer(seconds, self.thaw)
        self.freeze()
        timer.start()
        try:
            yield timer
        finally:
            timer.cancel()
            timer.join()
            self.thaw()

    def _stands(self) -> bool:
        self._tell(signal.SIGSTOP)
        return all(stands(process.pid) for process in self._family())

    def _tell(self, number: signal.Signals) -> None:
        for process in self._family():
            with suppress(psutil.NoSuchProcess):  # one that served a connection ends with it
                process.send_signal(number)

    def release(self) -> None:
        """Use it no more; it ends with its last user."""
        self._users.close()
        if self.process is not None:
            wait_until(self._gone_or_shared, within=10.0)
            disown(self.process)

    def _running(self) -> psutil.Process:
        assert self.process is not None, "only the process that started a server may control it"
        return psutil.Process(self.process.pid)

    def _family(self) -> list[psutil.Process]:
        leader = self._running()
        return [leader, *leader.children(recursive=True)]

    def _end(self, family: list[psutil.Process], number: signal.Signals, within: float) -> None:
        assert self.process is not None
        for process in family:
            process.send_signal(number)
        self.process.wait(within)
        psutil.wait_procs(family, timeout=within)
        (self.directory / "pid").unlink(missing_ok=True)

    def _gone_or_shared(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or in_use(self.directory)


@contextmanager
def shared(kind: type[Server], meeting_place: Path) -> Iterator[Server]:
    """The one server of a test run; `meeting_place` is a directory that its processes have in common."""
    note = meeting_place / kind.kind
    with (meeting_place / f"{kind.kind}.starting").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            server = kind(Path(note.read_text()))
        except OSError:
            server = kind.new()
            note.write_text(str(server.directory))
    yield server
    server.release()


def in_use(directory: Path) -> bool:
    """Whether another process still holds the server; its keeper, ending it, does not count."""
    try:
        with (directory / "users").open("r+") as users:
            fcntl.lockf(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return not may_lock(users)
    except OSError:
        return False


def may_lock(users: IO[str]) -> bool:
    try:
        fcntl.lockf(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def start_keeper(directory: Path) -> None:
    """Forgotten at once: it outlives whoever started it."""
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(KEEPER), str(directory)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    disown(keeper)


def disown(process: subprocess.Popen[bytes]) -> None:
    """Keep its object from complaining that the program is still running."""
    process.returncode = 0


def template(name: str, make: Callable[[Path], None]) -> Path:
    """A directory made once on this machine for this user, then copied: `make` takes a second."""
    home = cache()
    ready = home / name
    with (home / f"{name}.making").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not ready.exists():
            work = Path(tempfile.mkdtemp(dir=home))
            give_away(work)
            make(work)
            work.rename(ready)
    return ready


def cache() -> Path:
    """Outside the home directory, which another user cannot enter."""
    home = Path(tempfile.gettempdir()) / f"bide-tests-{os.getuid()}"
    home.mkdir(mode=0o755, exist_ok=True)
    if home.stat().st_uid != os.getuid():
        raise PermissionError(f"{home} belongs to somebody else; set TMPDIR to another directory")
    return home


def other_user() -> dict[str, Any]:
    """Arguments of Popen that make it another user's program: servers refuse to run as root."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give_away(directory: Path) -> None:
    """Let the server's user own the directory and all in it."""
    owner = other_user()
    if owner:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, owner["user"], owner["group"], follow_symlinks=False)


def run(*command: str | Path, directory: Path) -> None:
    """Run a server's own tool as the server's user; AssertionError with what it said if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **other_user(),
    )
    assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}\n{done.stderr}"


def stands(pid: int) -> bool:
    """Whether no thread of the process runs any more: on a busy machine some do after the signal was sent."""
    states = []
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):  # it has ended
            states.append(task.read_text().rpartition(")")[2].split()[0])
    return set(states) <= {*"TtZX"}


def knock(path: Path) -> None:
    """Raise OSError when nobody listens there: PyMySQL would leave its own socket open."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(str(path))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(directory: Path) -> None:
    """A key and a certificate for 127.0.0.1, signed by itself."""
    run(
        *[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ],
        *["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
        *("-keyout", directory / "server.key", "-out", directory / "server.crt"),
        directory=directory,
    )
    (directory / "server.key").chmod(0o600)
