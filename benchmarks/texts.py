"""What a text costs, as multiples of a bare nested dict access measured in the same run.

    python benchmarks/texts.py

Ratios compare machines, times do not.
"""

from __future__ import annotations

import gettext
import io
import statistics
import sys
import timeit
import tracemalloc
from typing import Any

from babel.messages import Catalog
from babel.messages.mofile import write_mo
from babel.support import Translations

from bide.i18n import Chain, I18n, Memoize, Simple

KEYS = 5_000
REPEATS, ROUNDS, CALLS = 7, 5, 10_000
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


def main() -> int:
    """Prints the table; 1 when a plain lookup is beyond its limit."""
    standard, babel = catalogs()
    key = "page_1.part_1.word_1"
    names = {"t": engine().t, "key": key, "tree": {"en": {key: "x"}}, "g": standard, "b": babel}
    ratios: dict[str, float] = {}
    for name, call in ROWS:
        # Beside each other, so that a busy machine slows both.
        pairs = [(nanoseconds(call, names), nanoseconds(ROWS[0][1], names)) for _ in range(REPEATS)]
        ratios[name] = statistics.median(cost / floor for cost, floor in pairs)
        print(f"{name:32} {min(cost for cost, _ in pairs):8.0f} ns {ratios[name]:8.1f} x")
    print(f"{'100,000 texts':32} {memory():8.1f} MB")
    return 0 if ratios["Bide, plain"] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
