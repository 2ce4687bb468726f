"""The example shops, as their READMEs run them: a web server, and forked workers beside it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
from sqlalchemy.engine import make_url

from waiting import wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
BIDE = [sys.executable, "-m", "bide.cli"]
FLASK = [sys.executable, "-m", "flask", "--app", "shop"]


class Shop:
    """One of the examples, in a directory and on a database of this test."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        self.folder, self.outbox = folder, folder / "outbox"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        known = make_url(url)
        if known.get_backend_name() == "postgresql":
            url = str(known.set(drivername="postgresql+psycopg"))
        self.environment = os.environ | {
            "PYTHONPATH": str(EXAMPLES / name),
            "SHOP_DATABASE_URL": url,
            "SHOP_OUTBOX": str(self.outbox),
        }
        (folder / "pyproject.toml").write_text((EXAMPLES / name / "pyproject.toml").read_text())

    def run(self, *command: str) -> str:
        """A command to its end; what it printed."""
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def running(self, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that goes on until TERM."""
        log = (self.folder / "log.txt").open("ab")
        with (
            log,
            subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            ) as process,
        ):
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(40)

    def ask(self, path: str, **posted: Any) -> tuple[int, Any]:
        """The status and the JSON that the shop answers."""
        request = Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=json.dumps(posted).encode() if posted else None,
            headers={"content-type": "application/json"},
        )
        try:
            with urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except HTTPError as error:
            return error.code, None

    def is_open(self) -> bool:
        try:
            return self.ask("/orders/0")[0] == 404
        except URLError:
            return False

    def told(self) -> str:
        return (self.folder / "log.txt").read_text()


def fastapi_shop(shop: Shop, stack: ExitStack) -> None:
    server = [sys.executable, "-m", "uvicorn", "shop.web:api", "--port", str(shop.port)]
    stack.enter_context(shop.running(*server))
    wait_until(shop.is_open, within=50)
    stack.enter_context(shop.running(*BIDE, "work", "-n", "2"))


def flask_shop(shop: Shop, stack: ExitStack) -> None:
    shop.run(*FLASK, "bide", "migrate")
    shop.run(*FLASK, "open-shop")
    stack.enter_context(shop.running(*FLASK, "run", "--port", str(shop.port)))
    wait_until(shop.is_open, within=50)
    stack.enter_context(shop.running(*FLASK, "bide", "work", "-n", "2"))


@pytest.mark.story
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("start", [fastapi_shop, flask_shop])
def test_a_shop_sends_receipts_by_forked_workers(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    kind: str,
    start: Callable[[Shop, ExitStack], None],
) -> None:
    shop = Shop(start.__name__, tmp_path, request.getfixturevalue(f"{kind}_url"))
    with ExitStack() as stack:
        start(shop, stack)
        placed = [shop.ask("/orders", email=f"{n}@example.org", quantity=2) for n in range(5)]
        assert [status for status, _ in placed] == [201] * 5
        assert shop.ask("/orders", email="late@example.org", quantity=2)[0] == 409

        wait_until(lambda: "the mail server is down" in shop.told(), within=50)
        shop.outbox.mkdir()
        numbers = [answer["id"] for _, answer in placed]
        wait_until(
            lambda: all(shop.ask(f"/orders/{n}")[1]["receipt_at"] for n in numbers), within=50
        )
        assert {path.name for path in shop.outbox.iterdir()} == {f"{n}.txt" for n in numbers}
        assert "2 x Tea pot: 39.00" in (shop.outbox / f"{numbers[0]}.txt").read_text()
        wait_until(lambda: shop.run(*BIDE, "jobs", "list", "--json").strip() == "[]", within=50)
        pids = {worker["pid"] for worker in json.loads(shop.run(*BIDE, "workers", "--json"))}
        assert len(pids) == 2


@pytest.mark.story
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["fastapi_shop", "flask_shop"])
def test_the_tests_of_a_shop_pass(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLES / name, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
