"""Mistakes: both type checkers refuse every line that says so, and no other."""

from typing import Any

import bide
from bide.contrib.sqlalchemy import AsyncEnqueue, Enqueue

app = bide.App("sqlite:///page.db")


@app.job
def welcome(user_id: int, *, name: str = "you") -> str:
    return f"{name} {user_id}"


@app.job(queue="mail")
def send(address: str) -> None: ...


class Order:
    @app.asynchronously(queue="billing")
    def invoice(self, gross: bool = False) -> int:
        return int(gross)


welcome.delay("one")  # wrong
welcome.delay()  # wrong
welcome.delay(1, "Ada")  # wrong
welcome.delay(1, nam="Ada")  # wrong
send.delay(1)  # wrong
send.delay("a", "b")  # wrong
welcome.bind("one")  # wrong
welcome.using(queue="slow").delay("one")  # wrong
welcome.using(queue="slow").bind()  # wrong
welcome.using(queue=1)  # wrong
welcome.using(qeue="slow")  # wrong
welcome.using(priority="high").delay(1)  # wrong
welcome.using(run_at=[])  # wrong
app.enqueue(welcome.bind(1), priorty=1)  # wrong
bide.delay(Order(), queue=2)  # wrong
Order().invoice("yes")  # wrong
Order().invoice(net=True)  # wrong
Order().invoice.now("yes")  # wrong
app.job(max_atempts=1)  # wrong
app.job(queue=1)  # wrong
length: int = welcome(1)  # wrong
size: int = welcome.delay(1).result()  # wrong


async def store(session: Any) -> None:
    await welcome.adelay("one")  # wrong
    await welcome.using(session=session).adelay()  # wrong
    await Order().invoice.adelay(1, 2)  # wrong
    await AsyncEnqueue(session)(welcome, "one")  # wrong
    Enqueue(session)(send, 1)  # wrong
    Enqueue(session)(send.using(queue="slow"))  # wrong
