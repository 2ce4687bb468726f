"""A web server that loads the application before it forks."""

from __future__ import annotations

import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from forks.conftest import needs
from servers.server import free_port
from waiting import wait_until

APPLICATION = """
from bide import forks
forks.protect()
import sqlalchemy
engine = sqlalchemy.create_engine({url!r}, pool_size=1, max_overflow=0)
with engine.connect() as connection:
    connection.execute(sqlalchemy.text("SELECT 1"))

def app(environ, start_response):
    tag = environ["PATH_INFO"].lstrip("/")
    with engine.connect() as connection:
        answer = connection.execute(
            sqlalchemy.text("SELECT CAST(:tag AS text)"), {{"tag": tag}}
        ).scalar_one()
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer.encode()]
"""


@pytest.mark.story
def test_gunicorn_with_preload_answers_each_request_with_its_own_data(
    url_of: Callable[[str], str], tmp_path: Path
) -> None:
    needs("gunicorn")
    url = url_of("postgresql plain").replace("postgresql:", "postgresql+psycopg:")
    (tmp_path / "shop.py").write_text(APPLICATION.format(url=url))
    address = f"127.0.0.1:{free_port()}"
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--preload", "-w", "4", "-b", address, "shop:app"],
            cwd=tmp_path,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(lambda: answer_of(address, "ready") == "ready", within=30.0)
        wrong: list[str] = []
        askers = [threading.Thread(target=ask, args=(address, n, wrong)) for n in range(4)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        assert wrong == []
    finally:
        server.terminate()
        server.wait(20)


def ask(address: str, number: int, wrong: list[str]) -> None:
    for count in range(100):
        tag = f"{number}-{count}"
        if (answer := answer_of(address, tag)) != tag:
            wrong.append(f"{tag}: {answer}")


def answer_of(address: str, tag: str) -> str:
    try:
        with urllib.request.urlopen(f"http://{address}/{tag}", timeout=10) as response:
            return str(response.read().decode())
    except OSError as error:
        return f"{error}"
