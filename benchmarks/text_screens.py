"""Time to the first byte of the editor's pages with a hundred thousand texts.

    python benchmarks/text_screens.py [--texts 100000] [--rounds 15]

Starts a PostgreSQL of its own, fills a source language and a translation of nine tenths of it, and asks
each page over HTTP from a server in this process. The first request of a process reads all texts; it is
printed apart, in milliseconds and in those of this process' own CPU, which other programs hardly change.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from bide import App
from bide.i18n import Chain, Database, I18n, Simple
from bide.i18n.editing.editor import Editor
from bide.i18n.editing.saving import Edit
from bide.web import Viewer, create_app
from servers.postgresql import PostgreSQL
from web.browser import served

FILL = """
INSERT INTO translations (locale, key, value, is_proc, created_at, updated_at)
SELECT CAST(:locale AS text), 'area_' || n % 20 || '.page_' || n % 1000 || '.text_' || n,
  '--- "' || CAST(:locale AS text) || ' text ' || n || ' for %{name}"' || E'\\n', false, now(), now()
FROM generate_series(1, CAST(:number AS int)) AS n
"""
PAGES = (
    "/texts/app", "/texts/app/de", "/texts/app/de?state=missing", "/texts/app/de?q=text+777",
    "/texts/app/de?state=missing&q=page_77", "/texts/app/de?after=area_5.page_105.text_105",
    "/texts/app/de?before=area_5.page_105.text_105", "/texts/app/de/text?key=area_5.page_105.text_105",
    "/texts/app/history",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    server = PostgreSQL.new()
    try:
        server.create_database("texts")
        measure(server.url("texts"), options.texts, options.rounds)
    finally:
        server.release()


def measure(url: str, texts: int, rounds: int) -> None:
    app = App(url)
    database = Database(app)
    app.use(I18n(Chain(database, Simple())))
    app.migrate()
    assert app.database is not None
    for locale, number in (("en", texts), ("de", texts * 9 // 10)):
        app.database.run(
            lambda c, locale=locale, number=number: c.execute(
                FILL, {"locale": locale, "number": number}
            )
        )
    # Which the server does by itself within a minute.
    app.database.read(lambda c: c.execute("ANALYZE"))
    with served(create_app(app, auth=lambda request: Viewer("ada"))) as address:
        began = time.process_time()
        first = first_byte(address, PAGES[0])
        cpu = (time.process_time() - began) * 1000
        print(f"{texts} texts; the first page of a process: {first:.0f} ms, {cpu:.0f} of CPU")
        for page in PAGES:
            times = sorted(first_byte(address, page) for _ in range(rounds))
            print(
                f"{statistics.median(times):7.1f} ms  (best {times[0]:.1f}, worst {times[-1]:.1f})  {page}"
            )
        editor = Editor(app.i18n) if app.i18n else None
        assert editor is not None
        after = []
        for number in range(rounds):
            editor.save(Edit("de", "area_5.page_105.text_105", f"x{number} %{{name}}", "ada"))
            after.append(first_byte(address, PAGES[1]))
        print(f"{statistics.median(after):7.1f} ms  the list after an edit by somebody else")
    database.close()
    app.close()


def first_byte(address: str, page: str) -> float:
    """Milliseconds."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    began = time.perf_counter()
    connection.request("GET", page)
    response = connection.getresponse()
    response.read(1)
    took = (time.perf_counter() - began) * 1000
    assert response.status == 200, (page, response.status)
    connection.close()
    return took


if __name__ == "__main__":
    main()
