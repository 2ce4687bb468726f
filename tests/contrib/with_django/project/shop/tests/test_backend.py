"""The backend of tasks."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured
from django.db import connection, transaction
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone, translation

from bide import clock
from bide.contrib.django import TaskBackend, app, task
from bide.contrib.django.errors_of import JobCancelled
from bide.contrib.django.options import key_of
from bide.contrib.django.tasks_api import (
    InvalidTask,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_backends,
    task_enqueued,
    task_finished,
    task_started,
)
from bide.contrib.django.testing import drain, inline
from bide.errors import EnqueueError
from bide.jobs.job import Filter
from shop import tasks
from shop.models import Order


def later(seconds):
    """Do as if so many seconds had passed."""
    app.store.promote(clock.utc_now() + timedelta(seconds=seconds))


@contextmanager
def named(function, module, name):
    """Do as if the function had another name when it is enqueued."""
    before = function.__module__, function.__qualname__
    function.__module__, function.__qualname__ = module, name
    try:
        yield
    finally:
        function.__module__, function.__qualname__ = before


class Results(TestCase):
    def setUp(self):
        tasks.RAN.clear()

    def test_every_flag_is_set(self):
        flags = ("defer", "async_task", "get_result", "priority")
        self.assertTrue(all(getattr(TaskBackend, f"supports_{flag}") for flag in flags))

    def test_a_task_is_stored_with_one_query_and_read_with_one(self):
        with self.assertNumQueries(3 if connection.vendor == "mysql" else 1):
            result = tasks.add.enqueue(1, b=2)
        self.assertEqual(result.status, TaskResultStatus.READY)
        with self.assertNumQueries(1):
            self.assertEqual(tasks.add.get_result(result.id), result)

    def test_a_task_that_has_run_has_its_result(self):
        result = tasks.add.enqueue(1, b=2)
        self.assertEqual(drain(), (1, 0))
        with self.assertNumQueries(1):
            result.refresh()
        self.assertEqual((result.return_value, result.attempts), (3, 1))
        self.assertLessEqual(result.enqueued_at, result.started_at)
        self.assertLessEqual(result.started_at, result.finished_at)
        self.assertEqual(result.started_at, result.last_attempted_at)

    def test_higher_priority_runs_first(self):
        tasks.plain.enqueue()
        tasks.urgent.enqueue()
        drain()
        self.assertEqual(tasks.RAN, ["urgent", "plain"])

    def test_every_attempt_leaves_its_error(self):
        result = tasks.twice.enqueue("first: second")
        drain()
        result.refresh()
        self.assertEqual((result.status, result.attempts), (TaskResultStatus.READY, 1))
        later(3601)
        drain()
        result.refresh()
        self.assertEqual(result.status, TaskResultStatus.FAILED)
        self.assertEqual([error.exception_class for error in result.errors], [ValueError] * 2)
        self.assertTrue(result.errors[1].traceback.endswith("ValueError: first: second\n"))
        self.assertEqual(len(result.worker_ids), 2)
        self.assertLess(result.started_at, result.last_attempted_at)

    def test_a_back_off_may_ask_for_exception_and_result(self):
        result = tasks.asks.enqueue()
        drain()
        result.refresh()
        self.assertEqual(result.status, TaskResultStatus.FAILED)
        self.assertEqual([name for name, _ in tasks.RAN], ["LookupError"] * 2)

    def test_an_async_task_knows_its_attempt(self):
        result = tasks.attempt.enqueue(fail=1)
        drain()
        later(3600)
        drain()
        result.refresh()
        self.assertEqual(result.return_value, [2, result.id])

    def test_a_task_that_takes_too_long_fails(self):
        result = tasks.slow.enqueue()
        drain()
        result.refresh()
        self.assertEqual(result.errors[0].exception_class_path, "bide.errors.WorkerTimeout")

    def test_what_cannot_be_stored_fails_the_task_once(self):
        result = tasks.unstorable.enqueue()
        drain()
        result.refresh()
        self.assertEqual((result.status, tasks.RAN), (TaskResultStatus.FAILED, ["unstorable"]))
        self.assertIn("Unsupported type", result.errors[0].traceback)

    def test_options_of_the_backend_count_where_the_task_has_none(self):
        result = tasks.once.enqueue()
        drain()
        result.refresh()
        self.assertEqual((result.status, result.attempts), (TaskResultStatus.FAILED, 1))

    def test_run_after_may_be_a_timedelta(self):
        result = tasks.add.using(run_after=timedelta(hours=1)).enqueue(1)
        self.assertEqual(drain(), (0, 0))
        fresh = tasks.add.get_result(result.id)
        self.assertEqual(fresh.task.run_after, result.task.run_after)
        later(3601)
        self.assertEqual(drain(), (1, 0))

    def test_a_run_after_that_is_no_moment_is_refused_with_words(self):
        for wrong in ("tomorrow", 5, timedelta.max, timedelta.min, True):
            with self.subTest(wrong), self.assertRaisesRegex(InvalidTask, "run_after="):
                tasks.add.using(run_after=wrong)

    def test_ids_of_any_shape_are_answered(self):
        backend = task_backends["default"]
        native = app.enqueue(tasks.ship.bind(Order.objects.create(text="x"), timezone.now()))
        for wrong in ("123", "", "ü", "a\0b", "x" * 500, 17, None, "' OR 1=1 --", native.key):
            with self.subTest(wrong), self.assertRaises(TaskResultDoesNotExist):
                backend.get_result(wrong)

    def test_dashes_in_an_id_do_not_matter(self):
        result = tasks.add.enqueue(1)
        plain = result.id.replace("-", "")
        self.assertNotEqual(plain, result.id)
        self.assertEqual(task_backends["default"].get_result(plain).id, result.id)

    def test_a_task_that_was_renamed_can_be_read_and_fails_with_words(self):
        with named(tasks.add.func, "shop.tasks", "gone"):
            result = tasks.add.enqueue(1)
        found = task_backends["default"].get_result(result.id)
        self.assertEqual((found.task.module_path, found.args), ("shop.tasks.gone", [1]))
        with self.assertLogs("bide", "ERROR") as logged:
            drain()
        self.assertEqual(len(logged.records), 1, "the failure is told, and no hook of ours besides")
        found.refresh()
        self.assertIn("shop.tasks.gone is not there", found.errors[0].traceback)
        with self.assertRaises(Exception):
            found.task.call()

    def test_only_tasks_are_called(self):
        with named(tasks.add.func, "os", "getcwd"):
            result = tasks.add.enqueue()
        drain()
        result.refresh()
        self.assertIn("does not point to a Task", result.errors[0].traceback)

    def test_a_cancelled_task_has_failed(self):
        result = tasks.add.enqueue(1)
        app.store.cancel(Filter(), clock.utc_now())
        result.refresh()
        self.assertEqual(result.status, TaskResultStatus.FAILED)
        self.assertIs(result.errors[0].exception_class, JobCancelled)

    def test_results_are_kept_for_a_set_time(self):
        result = tasks.add.using(backend="once").enqueue(1)
        drain()
        job = app.held(app.store.find(Filter(key=key_of(result.id)))[0])
        kept = app.store.result(job.id)
        self.assertAlmostEqual((kept.keep_until - clock.utc_now()).total_seconds(), 60, delta=30)
        app.store.expire(clock.utc_now() + timedelta(seconds=61))
        with self.assertRaises(TaskResultDoesNotExist):
            result.refresh()

    def test_wrong_options_are_refused_where_they_are_written(self):
        wrong = [
            {"max_attempts": 0}, {"max_attempts": True}, {"backoff": -1}, {"timeout": "long"},
            {"locale": 3}, {"keep_result": 0},
        ]  # fmt: skip
        for options in wrong:
            with self.subTest(options), self.assertRaises(InvalidTask):
                task(**options)(tasks.add.func)
        with self.assertRaises(TypeError):
            task(nonsense=1)(tasks.add.func)
        with self.assertRaises(TypeError):
            tasks.add.using(nonsense=1)

    def test_wrong_options_of_a_backend_are_refused(self):
        with self.assertRaisesMessage(ImproperlyConfigured, "max_attempts=0"):
            TaskBackend("x", {"OPTIONS": {"max_attempts": 0, "other": 1}})

    def test_signals_have_the_class_as_sender(self):
        heard = []

        def hear(signal):
            def receiver(sender, task_result, **_):
                heard.append((signal, sender, task_result.status, str(task_result.id)))

            return receiver

        receivers = {
            one: hear(name)
            for name, one in (
                ("enqueued", task_enqueued),
                ("started", task_started),
                ("finished", task_finished),
            )
        }
        for signal, receiver in receivers.items():
            signal.connect(receiver)
            self.addCleanup(signal.disconnect, receiver)
        good, bad = tasks.add.enqueue(1), tasks.once.enqueue()
        drain()
        ready, running = TaskResultStatus.READY, TaskResultStatus.RUNNING
        self.assertEqual(heard, [
            ("enqueued", TaskBackend, ready, good.id), ("enqueued", TaskBackend, ready, bad.id),
            ("started", TaskBackend, running, good.id),
            ("finished", TaskBackend, TaskResultStatus.SUCCESSFUL, good.id),
            ("started", TaskBackend, running, bad.id),
            ("finished", TaskBackend, TaskResultStatus.FAILED, bad.id),
        ])  # fmt: skip

    def test_who_hears_of_the_end_finds_it_in_the_database(self):
        found = []

        def receiver(sender, task_result, **_):
            found.append(task_backends["default"].get_result(task_result.id).status)

        task_finished.connect(receiver)
        self.addCleanup(task_finished.disconnect, receiver)
        tasks.add.enqueue(1)
        drain()
        self.assertEqual(found, [TaskResultStatus.SUCCESSFUL])

    def test_a_receiver_that_raises_harms_nobody(self):
        def receiver(**_):
            raise RuntimeError("receiver")

        for signal in (task_enqueued, task_started, task_finished):
            signal.connect(receiver)
            self.addCleanup(signal.disconnect, receiver)
        result = tasks.add.enqueue(1)
        self.assertEqual(drain(), (1, 0))
        result.refresh()
        self.assertEqual(result.status, TaskResultStatus.SUCCESSFUL)

    def test_numbers_that_json_lacks_are_refused_with_words(self):
        with self.assertRaisesMessage(EnqueueError, "inf has no place in JSON"):
            tasks.add.enqueue(float("inf"))

    def test_inline_runs_at_once(self):
        with inline():
            result = tasks.add.enqueue(1, 2)
        self.assertEqual((result.status, result.return_value), (TaskResultStatus.SUCCESSFUL, 3))
        with inline(), self.assertRaises(ZeroDivisionError):
            tasks.once.enqueue()


class LanguageAndZone(TestCase):
    def test_a_task_speaks_the_language_and_keeps_the_zone_of_who_enqueued_it(self):
        with translation.override("de"), timezone.override("Asia/Tokyo"):
            result = tasks.here.enqueue()
        drain()
        result.refresh()
        self.assertEqual(result.return_value, ["de", "Asia/Tokyo"])

    def test_a_task_may_have_a_language_of_its_own(self):
        result = tasks.french.enqueue()
        drain()
        result.refresh()
        self.assertEqual(result.return_value, "fr")

    def test_a_request_hands_its_language_on(self):
        answer = self.client.get("/order/", headers={"accept-language": "de"})
        drain()
        result = task_backends["default"].get_result(answer.content.decode())
        self.assertEqual(result.return_value[0], "de")


class Transactions(TransactionTestCase):
    databases = {"default", "other"}

    def setUp(self):
        tasks.RAN.clear()

    def test_a_task_goes_with_the_transaction(self):
        try:
            with transaction.atomic():
                gone = tasks.add.enqueue(1)
                raise LookupError
        except LookupError:
            pass
        with self.assertRaises(TaskResultDoesNotExist):
            gone.refresh()
        with transaction.atomic():
            kept = tasks.add.enqueue(1)
            kept.refresh()
        kept.refresh()

    def test_native_jobs_go_with_it_too_and_records_travel_by_key(self):
        order = Order.objects.create(text="before")
        with transaction.atomic():
            job = tasks.ship.delay(order, timezone.now())
            order.ship("parcel service")
            order.text = "after"
            order.save()
        self.assertEqual(drain(), (2, 0))
        order.refresh_from_db()
        self.assertIn(order.shipped_by[:6], ("parcel", "job at"))
        self.assertNotIn("before", job.payload)

    def test_enqueue_on_commit_waits_for_the_other_database(self):
        with transaction.atomic(using="other"):
            result = tasks.late.enqueue()
            self.assertIsNone(result.enqueued_at)
            with self.assertRaises(TaskResultDoesNotExist):
                result.refresh()
        self.assertIsNotNone(result.enqueued_at)
        result.refresh()
        try:
            with transaction.atomic(using="other"):
                gone = tasks.late.enqueue()
                raise LookupError
        except LookupError:
            pass
        with self.assertRaises(TaskResultDoesNotExist):
            gone.refresh()

    async def test_awaited_calls_work_in_event_loops(self):
        result = await tasks.add.aenqueue(1, 2)
        found = await tasks.add.aget_result(result.id)
        self.assertEqual(found, result)

    @override_settings(USE_TZ=False)
    def test_naive_projects_get_naive_moments(self):
        result = tasks.add.enqueue(1)
        fresh = tasks.add.get_result(result.id)
        self.assertEqual(fresh.enqueued_at, result.enqueued_at)
        self.assertIsNone(fresh.enqueued_at.tzinfo)
