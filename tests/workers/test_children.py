"""A child of the supervisor hears every signal that is sent to it, from its first moment."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, signal, time
from bide.forks import guard
from bide.workers.children import fork_child, reap

signal.signal(signal.SIGTERM, lambda *_: None)  # the supervisor's handler notes it in its own memory
in_child = guard.after_fork_in_child

def asked_to_stop_at_once():
    os.kill(os.getpid(), signal.SIGTERM)
    in_child()

guard.after_fork_in_child = asked_to_stop_at_once
pid = fork_child(lambda: time.sleep(60))
while (ended := reap(pid)) is None:
    time.sleep(0.01)
print(ended.signal, signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_a_signal_that_comes_before_its_handlers_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=True
    )
    assert done.stdout == "15 set()\n"
