"""The admin, the screens, mail, texts, models and checks."""

from __future__ import annotations

import json
import re
from unittest import mock, skipUnless

from django.conf import settings
from django.contrib.admin import site
from django.contrib.auth.models import Permission, User
from django.core import mail
from django.core.checks import run_checks
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.template import Context, Template
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext, gettext_lazy, ngettext, pgettext

from bide import clock
from bide.contrib.django import actions, app
from bide.contrib.django.models import Attempt, Job, Result, Worker
from bide.contrib.django.settings import table
from bide.contrib.django.tasks_api import task_backends
from bide.contrib.django.testing import drain
from bide.jobs.job import State
from shop import tasks


def user(name, *permissions, **flags):
    made = User.objects.create_user(name, password="x", **flags)
    made.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return made


class Admin(TestCase):
    def setUp(self):
        self.client.force_login(user("root", is_staff=True, is_superuser=True))
        tasks.once.enqueue()
        tasks.add.enqueue(1, 2)
        drain()
        self.waiting = tasks.add.using(run_after=tasks.timedelta(hours=1)).enqueue(3)
        self.by_state = {job.state: job for job in Job.objects.all()}

    def act(self, action, *jobs, **more):
        return self.client.post(
            "/admin/bide/job/",
            {"action": action, "_selected_action": [job.pk for job in jobs], **more},
            follow=True,
        )

    def test_lists_filters_and_searches(self):
        page = self.client.get("/admin/bide/job/")
        self.assertContains(page, "shop.tasks.once")
        filtered = self.client.get("/admin/bide/job/?state__exact=3")
        self.assertNotContains(filtered, "shop.tasks.add</td>")
        self.assertContains(self.client.get("/admin/bide/job/?q=once"), "shop.tasks.once")
        self.assertContains(self.client.get("/admin/bide/job/?queue=default"), "shop.tasks.once")

    def test_a_job_shows_the_traceback_of_every_attempt(self):
        failed = self.by_state[State.FAILED]
        page = self.client.get(f"/admin/bide/job/{failed.pk}/change/")
        self.assertContains(page, "ZeroDivisionError: once")
        self.assertContains(page, "Traceback (most recent call last)")
        done = self.by_state[State.SUCCEEDED]
        self.assertContains(self.client.get(f"/admin/bide/job/{done.pk}/change/"), "<pre>3</pre>")

    def test_actions_retry_run_cancel_and_delete(self):
        failed, scheduled = self.by_state[State.FAILED], self.by_state[State.SCHEDULED]
        self.assertContains(self.act("run_now", failed), "0 jobs changed")
        self.assertEqual(app.store.audit.read(), [])
        self.assertContains(self.act("retry", failed), "1 job changed")
        failed.refresh_from_db()
        self.assertEqual((failed.state, failed.attempts), (State.READY, 0))
        self.act("run_now", scheduled)
        scheduled.refresh_from_db()
        self.assertEqual(scheduled.state, State.READY)
        self.act("cancel", scheduled)
        scheduled.refresh_from_db()
        self.assertEqual(scheduled.state, State.CANCELLED)
        asked = self.act("delete_selected", *Job.objects.all())
        self.assertContains(asked, "Are you sure")
        self.assertEqual(Job.objects.count(), 3)
        self.act("delete_selected", *Job.objects.all(), post="yes")
        self.assertEqual(
            (Job.objects.count(), Attempt.objects.count(), Result.objects.count()), (0, 0, 0)
        )
        self.assertEqual({row.who for row in app.store.audit.read()}, {"root"})

    def test_very_many_jobs_are_noted_with_their_number_and_how_they_were_chosen(self):
        failed, scheduled = self.by_state[State.FAILED], self.by_state[State.SCHEDULED]
        chosen = {"action": "cancel", "_selected_action": [failed.pk, scheduled.pk]}
        with mock.patch.object(actions, "EACH", 1):
            self.client.post("/admin/bide/job/?queue=default", chosen)
        [row] = app.store.audit.read()
        self.assertEqual((row.action, row.what), ("jobs.cancel", "queue=default"))
        self.assertEqual(row.detail, {"via": "admin", "number": 1})

    def test_no_page_offers_more_jobs_to_tick_than_are_noted_one_by_one(self):
        shown = site.get_model_admin(Job)
        self.assertLessEqual(max(shown.list_per_page, shown.list_max_show_all), actions.EACH)

    def page(self, job, what="change"):
        return f"/admin/bide/job/{job.pk}/{what}/"

    def buttons(self, job):
        shown = self.client.get(self.page(job)).content.decode()
        return re.findall(r'<input type="submit" name="_(\w+)"', shown)

    def test_the_page_of_a_job_offers_what_its_state_allows(self):
        failed, scheduled = self.by_state[State.FAILED], self.by_state[State.SCHEDULED]
        self.assertEqual(self.buttons(failed), ["retry"])
        self.assertEqual(self.buttons(scheduled), ["run_now", "cancel"])
        self.assertEqual(self.buttons(self.by_state[State.SUCCEEDED]), [])
        done = self.client.post(self.page(failed), {"_retry": "Retry"}, follow=True)
        self.assertContains(done, "1 job changed")
        failed.refresh_from_db()
        self.assertEqual(failed.state, State.READY)
        self.client.post(self.page(scheduled), {"_run_now": "Run now"})
        scheduled.refresh_from_db()
        self.assertEqual(scheduled.state, State.READY)
        self.client.post(self.page(scheduled), {"_cancel": "Cancel"})
        scheduled.refresh_from_db()
        self.assertEqual(scheduled.state, State.CANCELLED)

    def test_a_button_pressed_too_late_changes_nothing(self):
        """The page is old: the job has succeeded since."""
        done = self.by_state[State.SUCCEEDED]
        self.client.post(self.page(done), {"_cancel": "Cancel"})
        done.refresh_from_db()
        self.assertEqual(done.state, State.SUCCEEDED)

    def test_deleting_asks_first(self):
        failed = self.by_state[State.FAILED]
        self.assertContains(self.client.get(self.page(failed)), self.page(failed, "delete"))
        self.assertContains(self.client.get(self.page(failed, "delete")), "Are you sure")
        self.assertTrue(Job.objects.filter(pk=failed.pk).exists())
        gone = self.client.post(self.page(failed, "delete"), {"post": "yes"}, follow=True)
        self.assertContains(gone, "1 job changed")
        self.assertFalse(Job.objects.filter(pk=failed.pk).exists())
        self.assertFalse(Attempt.objects.filter(job_id=failed.pk).exists())

    def test_pages_of_jobs_that_are_not_there_say_so(self):
        for pk in ("0", "abc", "9" * 30, "_00", "1%2F2"):
            for what in ("change", "delete"):
                there = f"/admin/bide/job/{pk}/{what}/"
                posted = self.client.post(there, {"_retry": "Retry"})
                self.assertIn(posted.status_code, (302, 403))
                self.assertEqual(self.client.get(there).status_code, 302)

    def test_who_may_only_look_only_looks(self):
        self.client.force_login(user("guest", "view_job", is_staff=True))
        failed = self.by_state[State.FAILED]
        self.act("retry", failed)
        self.act("delete_selected", failed, post="yes")
        self.client.post(self.page(failed), {"_retry": "Retry"})
        refused = self.client.post(self.page(failed, "delete"), {"post": "yes"})
        self.assertEqual(refused.status_code, 403)
        failed.refresh_from_db()
        self.assertEqual(failed.state, State.FAILED)
        self.assertEqual(self.buttons(failed), [])
        self.assertNotContains(self.client.get(self.page(failed)), "deletelink")

    def test_who_may_operate_may_not_delete(self):
        self.client.force_login(user("operator", "change_job", is_staff=True))
        failed = self.by_state[State.FAILED]
        self.assertEqual(self.buttons(failed), ["retry"])
        self.assertNotContains(self.client.get(self.page(failed)), "deletelink")
        self.assertEqual(self.client.get(self.page(failed, "delete")).status_code, 403)

    def test_a_job_of_a_task_that_is_gone_can_be_looked_at(self):
        Job.objects.filter(pk=self.by_state[State.FAILED].pk).update(
            payload="not JSON", name="gone"
        )
        page = self.client.get(f"/admin/bide/job/{self.by_state[State.FAILED].pk}/change/")
        self.assertContains(page, "not JSON")


class Screens(TestCase):
    def test_strangers_are_sent_to_the_projects_login(self):
        page = self.client.get("/bide/jobs?x=1")
        self.assertRedirects(page, "/login/?next=/bide/jobs%3Fx%3D1", fetch_redirect_response=False)

    def test_who_has_no_permission_is_refused(self):
        self.client.force_login(user("nobody"))
        self.assertEqual(self.client.get("/bide/").status_code, 403)

    def test_permissions_are_roles(self):
        from bide.contrib.django.roles import roles_of

        self.assertEqual(
            roles_of(user("op", "view_job", "change_job")), ["jobs.view", "jobs.operate"]
        )
        self.assertEqual(roles_of(user("boss", is_superuser=True)), ["everything"])
        self.assertEqual(roles_of(user("gone", is_superuser=True, is_active=False)), [])

    def test_static_files_and_pages_are_served(self):
        self.client.force_login(user("boss", is_superuser=True))
        page = self.client.get("/bide/", follow=True)
        self.assertIn("content-security-policy", {name.lower() for name in page.headers})
        static = self.client.get("/bide/static/bide.css")
        self.assertEqual((static.status_code, static["content-type"][:8]), (200, "text/css"))


class Mail(TestCase):
    def test_mail_is_stored_and_sent_by_a_worker(self):
        backend = get_connection("bide.contrib.django.mail.EmailBackend")
        message = EmailMultiAlternatives(
            "Grüße", "body", "a@example.org", ["b@example.org"], ["c@example.org"],
            headers={"X-Shop": "1"}, reply_to=["d@example.org"], connection=backend,
        )  # fmt: skip
        message.attach_alternative("<p>body</p>", "text/html")
        message.attach("n.txt", "text", "text/plain")
        message.attach("b.bin", b"\x00\xff", "application/octet-stream")
        self.assertEqual(message.send(), 1)
        self.assertEqual(mail.outbox, [])
        job = Job.objects.get()
        self.assertEqual((job.name, job.queue), ("mail: Grüße", "mail"))
        self.assertEqual(drain(), (1, 0))
        [sent] = mail.outbox
        self.assertEqual(
            (sent.subject, sent.to, sent.bcc), ("Grüße", ["b@example.org"], ["c@example.org"])
        )
        self.assertEqual(sent.extra_headers, {"X-Shop": "1"})
        self.assertEqual([tuple(one)[1] for one in sent.attachments], ["text", b"\x00\xff"])
        self.assertEqual(next(iter(sent.alternatives[0])), "<p>body</p>")

    @skipUnless(hasattr(mail, "mailers"), "Django has MAILERS since 6.1")
    def test_a_mailer_sends_what_another_has_stored(self):
        bide = {"BACKEND": "bide.contrib.django.mail.EmailBackend"}
        memory = {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}
        settings = {
            "MAILERS": {"default": bide, "memory": memory},
            "BIDE": {"EMAIL_BACKEND": "memory"},
        }
        with override_settings(**settings):
            mail.send_mail("Hello", "body", "a@example.org", ["b@example.org"])
            self.assertEqual((len(mail.outbox), drain()), (0, (1, 0)))
        self.assertEqual([sent.subject for sent in mail.outbox], ["Hello"])

    def test_mail_to_nobody_is_not_stored(self):
        backend = get_connection("bide.contrib.django.mail.EmailBackend")
        message = EmailMultiAlternatives("x", "y", "a@example.org", [], connection=backend)
        self.assertEqual((backend.send_messages([message]), Job.objects.count()), (0, 0))


class Texts(TestCase):
    def store(self, locale, texts):
        app.i18n.backend.members[0].store(locale, texts)
        app.i18n.reload()
        self.addCleanup(app.i18n.reload)

    def test_the_page_speaks_the_language_of_the_request(self):
        page = self.client.get("/greeting/", headers={"accept-language": "de"})
        self.assertContains(page, "Hallo &lt;Ada&gt;|2 Katzen|")
        page = self.client.get("/greeting/", headers={"accept-language": "en"})
        self.assertContains(page, "Hello &lt;Ada&gt;|2 cats|Save")

    def shown(self, source, **values):
        return Template("{% load bide %}" + source).render(Context(values))

    def test_values_in_html_are_escaped_and_the_text_is_not(self):
        for key in ("greeting_html", "page.html"):
            self.assertEqual(
                self.shown("{% t key name=name %}", key=key, name="<Ada>"), "<b>&lt;Ada&gt;</b>"
            )
        safe = self.shown('{% t "greeting_html" name=name %}', name=mark_safe("<i>Ada</i>"))
        self.assertEqual(safe, "<b><i>Ada</i></b>")
        self.assertEqual(self.shown('{% t "page.plain" %}'), "1 &lt; 2")

    def test_the_message_of_a_missing_text_is_escaped(self):
        for key in ("<script>_html", "<script>.html", "<script>"):
            shown = self.shown("{% t key %}", key=key)
            self.assertNotIn("<script>", shown)
            self.assertIn("&lt;script&gt;", shown)

    def test_a_default_is_html_only_where_the_template_says_it(self):
        given = self.shown('{% t "absent_html" default=given %}', given="<script>")
        self.assertEqual(given, "&lt;script&gt;")
        listed = self.shown('{% t "absent_html" default=given %}', given=["<script>"])
        self.assertEqual(listed, "&lt;script&gt;")
        self.assertEqual(self.shown('{% t "absent_html" default="<b>!</b>" %}'), "<b>!</b>")

    def test_djangos_gettext_asks_the_texts_first(self):
        lazy = gettext_lazy("Save")
        with translation.override("de"):
            before = gettext("Save")
        self.store(
            "de",
            {
                "Save": "Aufheben",
                "menu": {"File": "Akte"},
                "cow": {"one": "eine Kuh", "other": "%{count} Kühe"},
            },
        )
        with translation.override("de"):
            self.assertEqual(gettext("Save"), "Aufheben")
            self.assertEqual(str(lazy), "Aufheben")
            self.assertEqual(pgettext("menu", "File"), "Akte")
            self.assertEqual(ngettext("cow", "cows", 1), "eine Kuh")
            self.assertEqual(ngettext("cow", "cows", 3), "3 Kühe")
            self.assertEqual(gettext("No such text anywhere."), "No such text anywhere.")
        self.assertNotEqual(before, "Aufheben")
        with translation.override("en"):
            self.assertEqual(gettext("Save"), "Save")


class Checks(TestCase):
    def test_a_right_project_has_no_problems(self):
        self.assertEqual([one for one in run_checks() if one.id.startswith("bide")], [])

    def ids(self, **options):
        return [one.id for one in run_checks(**options) if one.id.startswith("bide")]

    def test_an_application_that_is_not_installed_is_told(self):
        with override_settings(
            INSTALLED_APPS=[one for one in settings.INSTALLED_APPS if one != "bide.contrib.django"]
        ):
            [problem] = [one for one in task_backends["default"].check() if one.id == "bide.E001"]
        self.assertIn("bide.contrib.django", problem.hint)

    def test_connections_that_live_on_unchecked_are_told(self):
        lasting = {"CONN_MAX_AGE": 600, "CONN_HEALTH_CHECKS": False}
        with mock.patch.dict(connections.settings["default"], lasting):
            on_a_server = ["bide.W002"] if connection.vendor != "sqlite" else []
            self.assertEqual([one for one in self.ids() if one != "bide.W001"], on_a_server)
            with mock.patch.dict(connections.settings["default"], {"CONN_HEALTH_CHECKS": True}):
                self.assertNotIn("bide.W002", self.ids())

    def test_old_tables_are_told(self):
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table('jobs_version')} SET version_num = '0001'")
        self.assertIn("bide.W003", self.ids(databases=["default"]))
        self.assertNotIn("bide.W003", self.ids())

    def test_queues_that_no_worker_takes_are_told(self):
        self.assertEqual(self.ids(databases=["default"]), [])
        now = clock.utc_now()
        named = {"name": "w", "host": "h", "pid": 1, "started_at": now, "heartbeat_at": now}
        Worker.objects.create(**named, info=json.dumps({"queues": ["default"]}))
        told = [one.msg for one in run_checks(databases=["default"]) if one.id == "bide.W004"]
        self.assertEqual(told, ["no worker takes the queue 'mail' of TASKS['default']"])
        Worker.objects.create(**named, info=json.dumps({"queues": None}))
        self.assertNotIn("bide.W004", self.ids(databases=["default"]))

    @override_settings(BIDE={"DATABASE": "nowhere", "NONSENSE": 1})
    def test_wrong_settings_are_told(self):
        self.assertIn("bide.E002", [one.id for one in run_checks()])

    def test_the_migrations_are_those_of_the_models(self):
        call_command("makemigrations", "--check", "--dry-run", verbosity=0)


class Commands(TransactionTestCase):
    def test_words_are_passed_on(self):
        tasks.add.enqueue(1)
        with self.assertRaises(CommandError) as raised:
            call_command("bide", "no-such-command")
        self.assertEqual(raised.exception.returncode, 2)
