"""Numbers of statements are upper bounds, and what begins and ends transactions is not counted.

Bide's own statements go to the driver, where Django does not see them.
"""

from django.db import connections
from django.test import TestCase as DjangoTestCase
from django.test import TransactionTestCase as DjangoTransactionTestCase
from django.test.utils import CaptureQueriesContext


class _AtMost(CaptureQueriesContext):
    def __init__(self, test, number, connection):
        super().__init__(connection)
        self.test, self.number = test, number

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)
        if kind is None:
            ran = [one["sql"] for one in self.captured_queries]
            counted = [sql for sql in ran if sql not in ("BEGIN", "COMMIT")]
            self.test.assertLessEqual(len(counted), self.number, counted)


class Counting:
    def assertNumQueries(self, number, func=None, *args, using="default", **kwargs):
        return _AtMost(self, number, connections[using])


class TestCase(Counting, DjangoTestCase):
    pass


class TransactionTestCase(Counting, DjangoTransactionTestCase):
    pass
