"""bide.testing in Django's test cases."""

from __future__ import annotations

from django.test import TestCase, TransactionTestCase
from django.utils import timezone

from bide import testing
from bide.contrib.django import app
from bide.contrib.django.models import Job
from shop import tasks
from shop.models import Order


class Helpers:
    def test_what_was_stored_is_found_and_run(self):
        testing.assert_not_enqueued(tasks.ship, app=app)
        order, now = Order.objects.create(text="tea"), timezone.now()
        tasks.ship.delay(order, now)
        testing.assert_enqueued(tasks.ship, args=(order, now), count=1, app=app)
        self.assertEqual(testing.drain(app), (1, 0))
        order.refresh_from_db()
        self.assertEqual(order.shipped_by, f"job at {now:%Y}")

    def test_each_test_begins_with_no_jobs(self):
        self.assertEqual(Job.objects.count(), 0)
        tasks.add.enqueue(1)

    def test_inline_stores_nothing(self):
        order = Order.objects.create(text="tea")
        with testing.inline(app):
            order.ship("courier")
        order.refresh_from_db()
        self.assertEqual((order.shipped_by, Job.objects.count()), ("courier", 0))


class InTransactions(Helpers, TestCase):
    pass


class WithCommits(Helpers, TransactionTestCase):
    databases = {"default", "other"}
