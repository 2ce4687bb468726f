"""Boot the application, fork its workers, and go on using the parent's own connection: `python run.py [workers]`.

SEED_GUARD=off takes the fence away, and the errors of the story come back.
"""

from __future__ import annotations

import os
import sys

import shop

from bide.forks import Layers, protect
from bide.jobs.store import Wanted
from bide.workers.roster import Crew


class Parent:
    """Uses this process' own connection at every turn of the supervisor."""

    def __init__(self) -> None:
        self.asked = 0

    def fds(self) -> list[int]:
        return []

    def attend(self, _state: str, _facts: object) -> None:
        self.asked += 1
        tag = f"parent-{self.asked}"
        try:
            answer = shop.app.database.read(lambda c: c.execute("SELECT :tag", {"tag": tag}))
            shop.note(parent=self.asked, right=answer[0][0] == tag)
        except Exception as error:  # noqa: BLE001 - whatever breaks is what the story is about
            shop.note(parent=self.asked, right=False, error=str(error))


def main() -> int:
    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if os.environ.get("SEED_GUARD") == "off":
        protect(Layers(seal=False, forget=False, owned=False))
    parent = Parent()
    # The application translates while it boots: from here on this process holds a connection.
    parent.attend("boot", None)
    shop.note(boot=shop.t("greeting", name="boot"))
    return shop.app.supervisor([Crew(Wanted(), workers)]).run([parent])


if __name__ == "__main__":
    sys.exit(main())
