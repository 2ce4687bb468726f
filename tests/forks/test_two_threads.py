"""Two threads that fork at once: the state of one fork does not disturb the other."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import threading
from typing import Any

import pytest

from bide.forks import census, guard

PROGRAM = """
import gc, json, os, socket, sys, threading
from bide import forks
from bide.forks import guard

forks.protect()
sys.setswitchinterval(1e-5)
server = socket.create_server(("127.0.0.1", 0))
wire = socket.create_connection(server.getsockname())
peer, _ = server.accept()
peer.settimeout(0.2)

def sockets():
    links = {}
    for fd in os.listdir("/proc/self/fd"):
        try:
            links[int(fd)] = os.readlink(f"/proc/self/fd/{fd}")
        except OSError:  # the directory itself
            continue
    return {fd for fd, link in links.items() if link.startswith("socket:")}

def trouble():
    if not gc.isenabled():
        return "the collector stands still"
    if len(forks.guard.crossings()) != 2:
        return f"crossings: {forks.guard.crossings()}"
    try:
        wire.send(b"from the child")
    except OSError:
        return ""
    return "the wire can be written"

before, told = sockets(), []

begun, over = threading.Event(), threading.Event()

def begin_to_fork():
    guard.before_fork()
    begun.set()
    over.wait(20)
    guard.after_fork_in_parent()

beginning = threading.Thread(target=begin_to_fork)
beginning.start()
begun.wait(20)
pid = os.fork()
if not pid:
    os._exit(len(sockets() - before))
others = os.waitpid(pid, 0)[1]
over.set()
beginning.join()

def fork():
    for _ in range(40):
        reader, writer = os.pipe()
        pid = os.fork()
        if not pid:
            os.write(writer, trouble().encode())
            os._exit(0)
        os.close(writer)
        words = os.read(reader, 1000).decode()
        os.close(reader)
        told.append((words, os.waitpid(pid, 0)[1]))

threads = [threading.Thread(target=fork) for _ in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
try:
    heard = peer.recv(100).decode()
except TimeoutError:
    heard = ""
wire.send(b"still mine")
print(json.dumps({
    "bad": [one for one in told if one != ("", 0)], "forks": len(told), "collects": gc.isenabled(),
    "left": sorted(sockets() - before), "under_way": len(guard._state.forks), "heard": heard,
    "of_others": others, "then": peer.recv(100).decode(),
}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_children_and_parent_are_whole_after_many_forks_from_two_threads() -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found == {
        "bad": [], "forks": 80, "collects": True, "left": [], "under_way": 0, "heard": "",
        "of_others": 0, "then": "still mine",
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:forking with other threads alive:RuntimeWarning")
def test_the_collector_runs_again_when_the_last_of_two_forks_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second one began when the first had stopped it and was still counting."""
    take, counting, go_on = census.take, threading.Event(), threading.Event()

    def slowly(*args: Any) -> Any:
        if threading.current_thread() is first:
            counting.set()
            go_on.wait(20)
        return take(*args)

    def fork() -> None:
        guard.before_fork()
        guard.after_fork_in_parent()

    monkeypatch.setattr(census, "take", slowly)
    first = threading.Thread(target=fork)
    first.start()
    assert counting.wait(20)
    guard.before_fork()
    go_on.set()
    first.join()
    assert not gc.isenabled()
    guard.after_fork_in_parent()
    assert gc.isenabled()


def test_a_count_that_fails_leaves_the_collector_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise OSError("no descriptor is left")

    monkeypatch.setattr(census, "take", fail)
    with pytest.raises(OSError, match="no descriptor"):
        guard.before_fork()
    assert gc.isenabled()
    assert not guard._state.forks
