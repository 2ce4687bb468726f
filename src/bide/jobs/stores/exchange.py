"""What PostgreSQL is told without waiting for its answer: reports and claims, and jobs to store."""

from __future__ import annotations

from collections.abc import Callable

from bide.db.connection import Row
from bide.db.engine import Database
from bide.db.pipeline import Asked, Pipeline
from bide.errors import ConnectionLost, DatabaseError
from bide.jobs.exchange import Exchanged
from bide.jobs.stores.claims import Claims, Order, Question


class PostgreSQLExchange:
    """One report and one claim under way."""

    def __init__(
        self, claims: Claims, question: Question, pipeline: Pipeline, *, finishing: bool
    ) -> None:
        self._claims, self._question = claims, question
        self._pipeline, self._finishing = pipeline, finishing

    def answer(self) -> Exchanged:
        """What became of both. Raises ConnectionLost: then nobody knows."""
        try:
            outcomes = self._pipeline.answers()
        except ConnectionLost:
            self._claims.lost(self._question.order)
            raise
        done: set[int] | DatabaseError = set()
        if self._finishing:
            told = outcomes[0]
            done = told if isinstance(told, DatabaseError) else {row[0] for row in told}
        rows = outcomes[-1]
        if isinstance(rows, DatabaseError):  # it took nothing; the next claim meets it again
            return Exchanged(done, [])
        return Exchanged(done, self._claims.answer(self._question, rows))


class PostgreSQLInsertion:
    """Jobs on their way. `complete` makes ids of the rows that came, `again` stores them as if never sent."""

    def __init__(
        self,
        pipeline: Pipeline,
        complete: Callable[[list[Row]], list[int]],
        again: Callable[[], list[int]],
    ) -> None:
        self._pipeline, self._complete, self._again = pipeline, complete, again

    def ids(self) -> list[int]:
        """The id of each job. What the server refused, and what nobody knows, is done again by `again`:
        it waits for locks, finds keys that are there, and says what is wrong."""
        try:
            [outcome] = self._pipeline.answers()
        except ConnectionLost:
            return self._again()
        return self._again() if isinstance(outcome, DatabaseError) else self._complete(outcome)


def send(
    database: Database, claims: Claims, finish: Asked | None, order: Order, limit: int
) -> PostgreSQLExchange | None:
    """Send both, or None where they must be done one after the other."""
    question = claims.question(order, limit)
    if question is None:
        return None
    asked = [(question.statement, question.params)]
    many = asked if finish is None else [finish, *asked]
    try:
        pipeline = database.send(many)
    except ConnectionLost as error:
        if not error.nothing_changed:
            claims.lost(order)
        raise
    if pipeline is None:
        return None
    return PostgreSQLExchange(claims, question, pipeline, finishing=finish is not None)
