"""What a text costs, as multiples of a bare nested dict access measured in the same run.

    python benchmarks/texts.py

Ratios compare machines, times do not. gettext and Babel are the fastest of the Python libraries; those that
know keys, as python-i18n, i18nice, Fluent and Flask-Babel, take 7 to 60 times as long.
"""

from __future__ import annotations

import gc
import gettext
import io
import math
import os
import sys
import timeit
import tracemalloc
from pathlib import Path
from typing import Any

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.support import Translations

from bide.i18n import Chain, I18n, Memoize, Simple

KEYS = 5_000
REPEATS, ROUNDS, CALLS = 9, 20, 3_000
LIMIT = 8.0

ROWS = (
    ("bare nested dict", "tree['en'][key]"),
    ("Bide, plain", "t(key)"),
    ("Bide, plain, locale given", "t(key, locale='en')"),
    ("Bide, two values", "t('two', name='Ada', thing=5)"),
    ("Bide, plural", "t('count', count=3)"),
    ("Bide, missing with a default", "t('no.such.key', default='x')"),
    ("gettext, plain", "g.gettext('word_1')"),
    ("gettext, two values", "g.gettext('two') % {'name': 'Ada', 'thing': 5}"),
    ("gettext, plural", "g.ngettext('message', 'messages', 3)"),
    ("Babel, plain", "b.gettext('word_1')"),
    ("Babel, plural", "b.ngettext('message', 'messages', 3)"),
)


def texts(number: int = KEYS) -> dict[str, Any]:
    """Keys of three parts: pages, sections, words."""
    data: dict[str, Any] = {}
    for index in range(number):
        section = data.setdefault(f"page_{index % 97}", {}).setdefault(f"part_{index % 11}", {})
        section[f"word_{index}"] = f"The text number {index} of the whole shop"
    data["two"] = "%{name} has %{thing}"
    data["count"] = {"one": "%{count} message", "other": "%{count} messages"}
    return data


def nanoseconds(call: str, names: dict[str, Any]) -> float:
    """The best of many rounds, per call."""
    timer = timeit.Timer(call, globals=names)
    timer.timeit(1000)
    return min(timer.repeat(ROUNDS, CALLS)) / CALLS * 1e9


def engine() -> I18n:
    """Two sources in a row, as an application has them."""
    i18n = I18n(Chain(Simple(), Memoize(Simple())))
    i18n.store("en", texts())
    return i18n


def catalogs() -> tuple[Any, Any]:
    """The same texts for gettext and for Babel."""
    catalog = Catalog(locale="en")
    for index in range(KEYS):
        catalog.add(f"word_{index}", f"The text number {index} of the whole shop")
    catalog.add("two", "%(name)s has %(thing)s")
    catalog.add(("message", "messages"), ("message", "messages"))
    file = io.BytesIO()
    write_mo(file, catalog)
    content = file.getvalue()
    return gettext.GNUTranslations(io.BytesIO(content)), Translations(io.BytesIO(content))


def memory(number: int = 100_000) -> float:
    """MB that this many texts cost beyond the data they were made from."""
    i18n = I18n(Simple())
    tracemalloc.start()
    i18n.store("en", texts(number))
    i18n.t("two")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / 1e6


def shared(number: int = 100_000, children: int = 4) -> tuple[float, float]:
    """PSS in MB: of a process with this many texts more than without, and what each forked child that
    looked up a thousand of them adds to that."""
    before = megabytes(os.getpid())
    i18n = I18n(Simple())
    i18n.store("en", texts(number))
    i18n.t("two")
    gc.collect()
    alone = megabytes(os.getpid())
    gc.freeze()
    told, tell = os.pipe()
    ended, end = os.pipe()
    pids = [pid for _ in range(children) if (pid := read_and_wait(i18n, tell, (ended, end)))]
    for _ in pids:
        os.read(told, 1)
    family = sum(megabytes(pid) for pid in [os.getpid(), *pids])
    os.close(end)
    for pid in pids:
        os.waitpid(pid, 0)
    return alone - before, (family - alone) / children


def read_and_wait(i18n: I18n, tell: int, ending: tuple[int, int]) -> int:
    """A child that looks up texts, says so, and lives until its parent lets it end."""
    pid = os.fork()
    if pid == 0:
        os.close(ending[1])
        for index in range(1000):
            i18n.t(f"page_{index % 97}.part_{index % 11}.word_{index}")
        os.write(tell, b".")
        os.read(ending[0], 1)
        os._exit(0)
    return pid


def megabytes(pid: int) -> float:
    """The proportional memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


#: What of ours is compared with what of theirs.
SIDE_BY_SIDE = {
    "Bide, plain": ("gettext, plain", "Babel, plain"),
    "Bide, two values": ("gettext, two values",),
    "Bide, plural": ("gettext, plural", "Babel, plural"),
}


def slower(ratios: dict[str, float]) -> list[str]:
    """Where another library was faster."""
    return [
        f"{ours} is slower than {theirs}"
        for ours, others in SIDE_BY_SIDE.items()
        for theirs in others
        if ratios[ours] >= ratios[theirs]
    ]


def main() -> int:
    """Prints the table; 1 when a plain lookup is beyond its limit or another library was faster."""
    standard, babel = catalogs()
    key = "page_1.part_1.word_1"
    names = {"t": engine().t, "key": key, "tree": {"en": {key: "x"}}, "g": standard, "b": babel}
    best = dict.fromkeys([name for name, _ in ROWS], math.inf)
    for _ in range(REPEATS):
        # In turns, so that a busy machine slows all of them.
        for name, call in ROWS:
            best[name] = min(best[name], nanoseconds(call, names))
    ratios = {name: cost / best[ROWS[0][0]] for name, cost in best.items()}
    for name, cost in best.items():
        print(f"{name:32} {cost:8.0f} ns {ratios[name]:8.2f} x")
    print(f"{'100,000 texts':32} {memory():8.1f} MB")
    alone, each = shared()
    print(f"{'the same, shared (PSS)':32} {alone:8.1f} MB, and {each:.1f} MB for each forked child")
    problems = slower(ratios)
    if ratios["Bide, plain"] > LIMIT:
        problems.append(f"a plain lookup costs more than {LIMIT:g} times a nested dict")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
