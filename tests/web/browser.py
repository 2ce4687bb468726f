"""Debian's Chromium, driven by Playwright, over screens that uvicorn serves in a thread."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
]  # fmt: skip


def program() -> str | None:
    """Where Chromium is."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def served(screens: Any) -> Iterator[str]:
    """The address of an ASGI application."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(screens, log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def faults(page: Any) -> list[Any]:
    """What axe finds on a page that is open, and whether it is wider than the screen."""
    from axe_playwright_python.sync_playwright import Axe

    rules = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
    result = Axe().run(page, options={"runOnly": rules})
    found = [(one["id"], one["nodes"][0]["html"][:200]) for one in result.response["violations"]]
    too_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found if too_wide <= 0 else [*found, f"{too_wide} pixels wider than the screen"]
