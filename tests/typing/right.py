"""What users write: both type checkers accept every line, and infer what is asserted."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_type

from sqlalchemy.orm import Session

import bide
from bide.contrib.sqlalchemy import AsyncEnqueue, Enqueue

app = bide.App("sqlite:///page.db", max_attempts=3)


@app.job
def welcome(user_id: int, *, name: str = "you") -> str:
    return f"{name} {user_id}"


@app.job(queue="mail", priority=10, max_attempts=5, max_run_time=timedelta(minutes=1))
def send(address: str, copies: int = 1) -> None: ...


@app.job(name="fetch")
async def fetch(url: str) -> bytes:
    return url.encode()


@app.job
@dataclass
class Newsletter:
    text: str

    def perform(self) -> None: ...


@app.job(queue="mail")
@dataclass
class Letter:
    text: str

    def perform(self) -> None: ...


class Order:
    @app.asynchronously(queue="billing")
    def invoice(self, gross: bool = False) -> int:
        return int(gross)

    @app.asynchronously
    def ship(self, place: str) -> None: ...


# Calling is calling.
assert_type(welcome(1, name="Ada"), str)
assert_type(Newsletter("hi"), Newsletter)
assert_type(Letter("hi").text, str)

# Storing checks the arguments.
assert_type(welcome.delay(1, name="Ada"), bide.Job[str])
assert_type(welcome.delay(1).result(), str)
assert_type(send.delay("ada@example.org", copies=2), bide.Job[None])
assert_type(fetch.delay("/"), bide.Job[bytes])
later = welcome.using(queue="slow", priority=-5, run_at=timedelta(hours=1))
assert_type(later.delay(1), bide.Job[str])
jobs = app.enqueue_many(welcome.bind(number) for number in range(1000))
assert_type(jobs, list[bide.Job])
assert_type(app.enqueue(Newsletter("hi"), priority=1), bide.Job)
assert_type(Order().invoice(gross=True), bide.Job[int])
assert_type(Order().invoice.now(gross=True), int)
assert_type(Order().ship("here"), bide.Job[None])
bide.delay(Order(), priority=3).invoice(gross=True)


async def store(session: Any) -> None:
    assert_type(await fetch("/"), bytes)
    assert_type(await welcome.adelay(1), bide.Job[str])
    assert_type(await welcome.using(session=session).adelay(1, name="Ada"), bide.Job[str])
    assert_type(await app.aenqueue(Letter("hi"), queue="slow"), bide.Job)
    assert_type(await AsyncEnqueue(session)(fetch, "/"), bide.Job[bytes])


def place(session: Session) -> None:
    enqueue = Enqueue(session)
    assert_type(enqueue(welcome, 1, name="Ada"), bide.Job[str])
    assert_type(enqueue(send.using(queue="slow"), "ada@example.org"), bide.Job[None])


@app.lifecycle.around("perform")
def timed(worker: bide.Worker, job: bide.Job, proceed: Any) -> Any:
    return proceed(worker, job)


assert_type(app.worker(queues=["mail"]).work_off(100), tuple[int, int])
