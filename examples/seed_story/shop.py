"""The story's application: jobs and texts in one database, touched at boot, before the workers are forked.

SEED_HOOK=1 installs the texts of the database in `before("execute")`, as the author of the story did;
otherwise they are there from the start. Nothing else is done about the fork.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import bide
from bide.i18n import Chain, Database, I18n, Simple, t, with_locale

HERE = Path(__file__).parent
files = Simple(HERE / "locales" / "*.yml")
app = bide.App.from_env()
hook = bool(os.environ.get("SEED_HOOK"))
texts = files if hook else Chain(Database(app), files)
i18n = I18n(texts, available_locales=["en", "de"])
app.use(i18n)

if hook:

    @app.lifecycle.before("execute")
    def install(worker):
        note(hook=worker.name)
        i18n.backend = Chain(Database(app), files)


def note(**facts):
    """One line in a file that the test reads."""
    line = json.dumps({"at": time.monotonic(), "pid": os.getpid(), **facts}) + "\n"
    out = os.open(os.environ["SEED_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(out, line.encode())
    os.close(out)


@app.job(max_attempts=1)
def greet(number: int, seconds: float = 0.0):
    """Say the greeting in the language of whoever enqueued it, and ask the database who we are."""
    tag = f"{os.getpid()}-{number}"
    answer = app.database.read(lambda c: c.execute("SELECT :tag", {"tag": tag}))[0][0]
    note(number=number, said=t("greeting", name="you"), right=answer == tag)
    time.sleep(seconds)


def enqueue(numbers, **options):
    """Half of the jobs in English, half in German."""
    for number in numbers:
        with with_locale("de" if number % 2 else "en"):
            greet.delay(number, **options)
