"""Finishing jobs and claiming the next ones without waiting for PostgreSQL's answer in between."""

from __future__ import annotations

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
