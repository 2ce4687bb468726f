"""The guard around a fork: what it seals, keeps, restores and says."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from bide.errors import ForkError
from bide.forks import guard, refusal, seal
from bide.forks.descriptors import Kind, describe, identity_of, listing
from in_child import in_child

OFF = guard.Layers(seal=False, forget=False)


@pytest.fixture(autouse=True)
def fence() -> Iterator[None]:
    guard.protect()
    yield
    guard.protect(OFF)
    guard._state.kept.clear()


@pytest.fixture
def wire() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's end and its server's end, over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with client, server:
            yield client, server


def outcome(use: Callable[[], Any]) -> str:
    try:
        return repr(use())
    except OSError as error:
        return type(error).__name__


def test_an_inherited_connection_is_a_dead_end_in_the_child_alone(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, server = wire

    def child() -> tuple[str, str]:
        return outcome(lambda: client.recv(1)), outcome(lambda: client.send(b"from the child"))

    assert in_child(child) == ("b''", "BrokenPipeError")
    client.sendall(b"from the parent")
    assert server.recv(100) == b"from the parent"


def test_no_number_is_closed_so_that_a_new_connection_never_gets_an_old_object_s_words(
    wire: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    """DJ: queue.md 7.2, fact 5; a thousand opens and closes, the old object speaks in between."""
    client, _ = wire
    number = client.fileno()

    def child() -> int:
        strangers = 0
        for _ in range(1000):
            mine, other = socket.socketpair()
            assert mine.fileno() != number
            assert other.fileno() != number
            outcome(lambda: client.send(b"<14> a line of syslog"))
            other.setblocking(False)
            strangers += outcome(lambda: other.recv(100)) != "BlockingIOError"  # noqa: B023
            mine.close()
            other.close()
        client.close()
        return strangers

    assert in_child(child) == 0


@pytest.mark.parametrize("replaced", [False, True], ids=["opened", "replaced"])
def test_what_is_opened_after_the_count_is_sealed_too(
    wire: tuple[socket.socket, socket.socket], replaced: bool
) -> None:
    """A thread, or a hook that runs after ours, may open a connection, also under a used number."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stopgap = os.open("/dev/null", os.O_RDONLY)
        guard.before_fork()
        if replaced:
            os.close(stopgap)
        with socket.create_connection(listener.getsockname()) as late:
            assert (late.fileno() == stopgap) is replaced
            said = in_child(lambda: outcome(lambda: late.send(b"from the child")))
            guard.after_fork_in_parent()
    if not replaced:
        os.close(stopgap)
    assert said == "BrokenPipeError"


def test_listeners_pairs_datagrams_and_pipes_still_work_in_the_child() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    mine, other = socket.socketpair()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.connect(listener.getsockname())

    def child() -> bool:
        other.sendall(b"still here")
        udp.send(b"still here")
        return listener.getsockname()[1] > 0

    with listener, mine, other, udp:
        assert in_child(child)
        assert mine.recv(100) == b"still here"


def test_what_is_kept_stays_usable(wire: tuple[socket.socket, socket.socket]) -> None:
    client, server = wire
    guard.keep(client, "the child answers it")
    in_child(lambda: client.sendall(b"kept"))
    assert server.recv(100) == b"kept"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: socket.socket(), Kind.VIRGIN),
        (lambda: socket.create_server(("127.0.0.1", 0)), Kind.LISTENER),
        (lambda: socket.socketpair()[0], Kind.PAIR),
        (lambda: socket.socket(socket.AF_UNIX), Kind.VIRGIN),
        (lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM), Kind.DATAGRAM),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_descriptors_are_classified_without_traffic(
    make: Callable[[], socket.socket], kind: Kind
) -> None:
    with make() as made:
        found = describe(made.fileno(), identity_of(made.fileno()))
        assert found is not None
        assert found.kind is kind


def test_both_ends_of_a_unix_connection_are_told_apart(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as client:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        client.connect(str(tmp_path / "s"))
        accepted, _ = listener.accept()
        with accepted:
            kinds = [describe(each.fileno()) for each in (listener, client, accepted)]
    assert [each and each.kind for each in kinds] == [Kind.LISTENER, Kind.CLIENT, Kind.ACCEPTED]


def test_the_collector_is_off_from_the_fork_to_the_seal_and_then_as_it_was() -> None:
    guard.before_fork()
    assert not gc.isenabled()
    guard.after_fork_in_parent()
    assert gc.isenabled()
    assert in_child(gc.isenabled)


def test_explicit_calls_and_hooks_together_do_the_work_once(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire
    guard.before_fork(freeze=True)

    def child() -> tuple[int, bool, bool]:
        first, second = guard.after_fork_in_child(), guard.after_fork_in_child()
        seen = [each.descriptor.fd for each in first]
        return seen.count(client.fileno()), first == second, gc.get_freeze_count() > 0

    assert in_child(child) == (1, True, True)
    guard.after_fork_in_parent()
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()


def test_what_is_frozen_for_good_stays_shared_and_is_still_found() -> None:
    """A collection in the parent would write into every page that its children share."""
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.QueuePool)
    guard._state.last_census = None  # another test's, which could not know the engine
    try:
        for _ in range(2):
            guard.before_fork(freeze=True, for_good=True)
            assert engine in [
                value for _, value in guard._state.forks[threading.get_ident()].census.living
            ]
            guard.after_fork_in_parent()
            guard._state.last_census = None
            assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
        engine.dispose()


def test_a_pool_that_never_connected_is_left_alone_unless_a_thread_may_hold_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making a new one costs a child a megabyte of pages that it would share."""
    monkeypatch.setattr("bide.forks.threads.other_threads", list)
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/a.db", poolclass=sqlalchemy.QueuePool)
    fresh = engine.pool
    guard._state.last_census = None  # another test's, which could not know the engine
    assert in_child(lambda: engine.pool is fresh) is True
    monkeypatch.setattr("bide.forks.threads.other_threads", lambda: [object()])
    monkeypatch.setattr(guard, "_warn_of", lambda _: None)
    assert in_child(lambda: engine.pool is fresh) is False
    monkeypatch.setattr("bide.forks.threads.other_threads", list)
    with engine.connect():
        guard._state.last_census = None
        assert in_child(lambda: engine.pool is fresh) is False
    assert engine.pool is fresh
    engine.dispose()


def test_strict_refuses_to_fork_with_a_connection_open_and_names_it(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire
    with pytest.raises(ForkError, match=rf"must not fork.*fd {client.fileno()} -> 127\.0\.0\.1"):
        guard.before_fork(strict=True)
    assert gc.isenabled()


def test_a_thread_with_a_lock_is_refused_by_name_in_strict_mode() -> None:
    lock, leave = threading.Lock(), threading.Event()
    held = threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            leave.wait(20)

    thread = threading.Thread(target=hold, name="holder of the lock")
    thread.start()
    try:
        assert held.wait(20)
        with pytest.raises(ForkError, match=r"'holder of the lock' at .*in hold with lock taken"):
            guard.before_fork(strict=True)
    finally:
        leave.set()
        thread.join()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python warns of threads from 3.12 on")
def test_a_fork_with_threads_alive_warns_and_names_them() -> None:
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait, name="somebody")
    thread.start()
    try:
        with pytest.warns(RuntimeWarning, match="somebody"):
            guard.before_fork()
        guard.after_fork_in_parent()
    finally:
        leave.set()
        thread.join()


def test_an_error_on_a_sealed_connection_is_explained(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, _ = wire

    def child() -> list[str]:
        try:
            client.sendall(b"x")
        except OSError as error:
            guard.explain(error)
            guard.explain(error)
            return [note for note in error.__notes__ if str(client.fileno()) or note]
        return []

    notes = in_child(child)
    peer = "{}:{}".format(*client.getpeername())
    mine = [note for note in notes if peer in note]
    assert len(mine) == 1
    assert f"opened by process {os.getpid()}" in mine[0]


def test_a_refused_handle_raises_whatever_is_done_with_it_and_closes_in_silence() -> None:
    class Handle:
        said: list[str] = []  # noqa: RUF012 - what every handle said

        def close(self) -> None:
            self.said.append("goodbye")

        def query(self) -> str:
            return "answer"

    handle = Handle()
    assert refusal.refuse(handle, "opened by process 1 at shop.py:5")
    with pytest.raises(ForkError, match=r"opened by process 1 at shop\.py:5"):
        handle.query()
    handle.close()
    assert Handle.said == []


def test_children_of_multiprocessing_are_fenced_too(
    wire: tuple[socket.socket, socket.socket],
) -> None:
    client, server = wire
    context = multiprocessing.get_context("fork")
    queue: Any = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put(outcome(lambda: client.send(b"x"))))
    child.start()
    assert queue.get() == "BrokenPipeError"
    child.join()
    client.sendall(b"parent")
    assert server.recv(100) == b"parent"


def test_log_files_have_fresh_streams_where_a_thread_may_have_held_the_old_one(
    tmp_path: Path,
) -> None:
    handler = logging.FileHandler(tmp_path / "log")
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait)
    thread.start()
    try:
        before = id(handler.stream)
        assert in_child(lambda: id(handler.stream)) != before
        assert id(handler.stream) == before
    finally:
        leave.set()
        thread.join()
        handler.close()


def test_a_child_that_cannot_be_sealed_ends_instead_of_going_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise OSError("no descriptor left")

    monkeypatch.setattr(guard, "seal", fail)
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 70


def test_a_fork_leaves_no_descriptor_behind(wire: tuple[socket.socket, socket.socket]) -> None:
    before = listing()
    inherited = in_child(listing)
    assert listing() == before
    # The pipe that the answer comes on; what other tests have left open a child may close.
    assert len(inherited) <= len(before) + 1


def test_a_descriptor_that_was_opened_anew_before_the_fork_is_looked_at_again(
    wire: tuple[socket.socket, socket.socket], tmp_path: Path
) -> None:
    """Its number was a connection's at the last count."""
    _, server = wire
    assert in_child(lambda: outcome(lambda: server.recv(1))) == "b''"
    number = server.fileno()
    plain = os.open(tmp_path, os.O_RDONLY)
    try:
        os.dup2(plain, number)
        assert in_child(lambda: os.fstat(number)) == os.fstat(plain)
    finally:
        os.close(plain)


def test_the_words_of_a_dead_end_are_a_whole_postgresql_message() -> None:
    message = seal.postgresql_error("opened by process 1")
    assert message[:1] == b"E"
    assert int.from_bytes(message[1:5], "big") == len(message) - 1
    assert b"Mopened by process 1\0" in message
    assert message.endswith(b"\0\0")
