"""Mail that a worker writes and sends, through a real SMTP server."""

from __future__ import annotations

import email
import smtplib
import socket
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default as policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller

import bide
from bide.contrib.mail import SMTP, Attachment, DjangoBackend, Mail, Mailer
from bide.errors import EnqueueError, MailError
from bide.i18n import Chain, Database, I18n, Simple
from bide.jobs.job import Filter


class Postbox:
    """Takes every mail, except for refused@…"""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_RCPT(  # noqa: N802 - the server's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address.startswith("refused@"):
            return "550 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the server's name
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def mails(self) -> list[EmailMessage]:
        return [email.message_from_bytes(one.content, policy=policy) for one in self.envelopes]  # type: ignore[misc]


@pytest.fixture
def postbox() -> Iterator[tuple[Postbox, SMTP]]:
    box = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, SMTP("127.0.0.1", port, timeout=20)
    server.stop()


@pytest.fixture
def app(database_url: str) -> Iterator[bide.App]:
    app = bide.App(database_url)
    database = Database(app)
    i18n = I18n(Chain(database, Simple()))
    app.use(i18n)
    app.migrate()
    for locale, word in (("en", "Welcome"), ("de", "Willkommen")):
        i18n.store(locale, {"welcome": {"subject": word, "text": f"{word}, %{{name}}!"}})
    yield app
    database.close()
    app.close()


def mailer(app: bide.App, transport: Any) -> type[Mailer]:
    """A mailer of this test alone; payloads find it by a name of its own."""

    class UserMailer(Mailer):
        sender = "Shop <shop@example.com>"
        queue = "mail"

        def welcome(self, name: str, *, to: str = "ada@example.com") -> Mail:
            return self.mail(
                to=to,
                subject=bide.i18n.t("welcome.subject"),
                text=bide.i18n.t("welcome.text", name=name),
            )

        def invited(self) -> Mail:
            return self.mail(to=self.params["to"], subject=f"from {self.params['by']}", text="x")

        def nothing(self) -> None:
            return None

    made = type(
        f"UserMailer{uuid.uuid4().hex}",
        (UserMailer,),
        {"transport": transport, "__module__": __name__},
        app=app,
    )  # type: ignore[call-overload]
    globals()[made.__name__] = made
    return made  # type: ignore[no-any-return]


def test_a_delayed_mail_is_written_and_sent_by_a_worker(
    app: bide.App, postbox: tuple[Postbox, SMTP]
) -> None:
    """DJ-178, DJ-180, DJ-337: the action and its arguments are stored; perform calls it, then delivers."""
    box, smtp = postbox
    users = mailer(app, smtp)
    job = users.delay.welcome("Ada", to="Ada L <ada@example.com>")
    assert job.name == f"{users.__qualname__}.welcome"
    assert job.queue == "mail"
    assert box.mails == []
    assert app.worker().work_off() == (1, 0)
    [mail], [envelope] = box.mails, box.envelopes
    assert mail["Subject"] == "Welcome"
    assert mail["From"] == "Shop <shop@example.com>"
    assert mail["To"] == "Ada L <ada@example.com>"
    assert mail.get_content().strip() == "Welcome, Ada!"
    assert (envelope.mail_from, envelope.rcpt_tos) == ("shop@example.com", ["ada@example.com"])


def test_each_reader_is_written_to_in_his_language(
    app: bide.App, postbox: tuple[Postbox, SMTP]
) -> None:
    box, smtp = postbox
    users = mailer(app, smtp)
    assert app.i18n is not None
    with app.i18n.with_locale("de"):
        users.delay.welcome("Ada")
        users.delay(locale="en", priority=1).welcome("Bob")
    app.i18n.store("de", {"welcome": {"text": "Grüß Gott, %{name}!"}})
    app.worker().work_off()
    assert [mail.get_content().strip() for mail in box.mails] == [
        "Grüß Gott, Ada!",
        "Welcome, Bob!",
    ]


def test_parameters_travel_with_the_mail(app: bide.App, postbox: tuple[Postbox, SMTP]) -> None:
    """DJ-181"""
    box, smtp = postbox
    users = mailer(app, smtp)
    users(to=["a@example.com", "b@example.com"], by="Ann").delay(queue="slow").invited()
    [row] = app.store.find(Filter(), limit=10)
    assert row.queue == "slow"
    assert "Ann" in row.payload
    app.worker().work_off()
    assert box.envelopes[0].rcpt_tos == ["a@example.com", "b@example.com"]
    assert box.mails[0]["Subject"] == "from Ann"


def test_a_written_mail_is_not_delayed(app: bide.App) -> None:
    """DJ-179, DJ-182"""
    users = mailer(app, None)
    with pytest.raises(MailError, match=r"UserMailer\.delay\.welcome"):
        users().welcome("Ada").delay.deliver()
    with pytest.raises(MailError, match=r"UserMailer\.delay\.welcome"):
        users(to="a@example.com", by="x").invited().delay.deliver()


async def test_mail_is_delayed_without_blocking_an_event_loop(
    app: bide.App, postbox: tuple[Postbox, SMTP]
) -> None:
    users = mailer(app, postbox[1])
    await users.adelay.welcome("Ada")
    assert app.store.count(Filter()) == 1
    app.store.delete(Filter())


def test_an_action_that_writes_nothing_sends_nothing(
    app: bide.App, postbox: tuple[Postbox, SMTP]
) -> None:
    users = mailer(app, postbox[1])
    users.delay.nothing()
    assert app.worker().work_off() == (1, 0)
    assert postbox[0].mails == []


def test_a_server_that_is_down_leaves_the_mail_to_be_sent_later(
    app: bide.App, postbox: tuple[Postbox, SMTP]
) -> None:
    box, smtp = postbox
    users = mailer(app, SMTP("127.0.0.1", 1, timeout=1))
    users.delay.welcome("Ada")
    assert app.worker().work_off() == (0, 1)
    users.transport = smtp
    [row] = app.store.find(Filter(), limit=10)
    app.find(row.id).retry()
    assert app.worker().work_off() == (1, 0)
    assert len(box.mails) == 1


def test_every_attempt_has_the_same_message_id(
    app: bide.App, postbox: tuple[Postbox, SMTP]
) -> None:
    box, smtp = postbox

    class Twice:
        def send(self, mail: Mail) -> None:
            smtp.send(mail)
            if len(box.mails) == 1:
                raise ConnectionError("the answer was lost")

    mailer(app, Twice()).delay.welcome("Ada")
    assert app.worker().work_off() == (0, 1)
    [row] = app.store.find(Filter(), limit=10)
    app.find(row.id).retry()
    app.worker().work_off()
    first, second = box.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert f"bide.{row.id}." in first["Message-ID"]


def test_a_refused_recipient_is_logged_and_the_others_get_it_once(
    app: bide.App, postbox: tuple[Postbox, SMTP], caplog: pytest.LogCaptureFixture
) -> None:
    box, smtp = postbox
    users = mailer(app, smtp)
    users(to=["refused@example.com", "b@example.com"], by="x").invited().deliver()
    assert box.envelopes[0].rcpt_tos == ["b@example.com"]
    assert "refused@example.com" in caplog.text
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        users(to="refused@example.com", by="x").invited().deliver()


def test_a_mail_carries_html_files_and_hidden_recipients(postbox: tuple[Postbox, SMTP]) -> None:
    box, smtp = postbox
    Mail(
        "a@example.com", ["b@example.com"], "Ünïcode ☃", "text", "<b>html</b>", cc=["c@example.com"], bcc=["d@example.com"],
        reply_to=["e@example.com"], headers={"X-Kind": "test"}, transport=smtp,
        attachments=[Attachment("bill.pdf", b"%PDF"), Attachment("ä.txt", "grüße"), Attachment("x", b"\x00", "image/png")],
    ).deliver()  # fmt: skip
    [mail], [envelope] = box.mails, box.envelopes
    assert mail["Subject"] == "Ünïcode ☃"
    assert envelope.rcpt_tos == ["b@example.com", "c@example.com", "d@example.com"]
    assert "d@example.com" not in mail.as_string()
    assert (mail["X-Kind"], mail["Reply-To"]) == ("test", "e@example.com")
    assert mail.get_body(("html",)).get_content().strip() == "<b>html</b>"  # type: ignore[union-attr]
    kinds = {part.get_filename(): part.get_content_type() for part in mail.iter_attachments()}
    assert kinds == {"bill.pdf": "application/pdf", "ä.txt": "text/plain", "x": "image/png"}


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "a\nBcc: everybody@example.com"},
        {"to": ["ada@example.com\r\nBcc: everybody@example.com"]},
        {"to": ["nobody"]},
        {"sender": ""},
        {"headers": {"X": "a\r\nb"}},
        {"headers": {"X\n": "a"}},
    ],
)
def test_hostile_headers_are_refused(
    postbox: tuple[Postbox, SMTP], changed: dict[str, Any]
) -> None:
    given = {
        "sender": "a@example.com",
        "to": ["b@example.com"],
        "subject": "s",
        "transport": postbox[1],
    }
    with pytest.raises(MailError, match="cannot be written"):
        Mail(**{**given, **changed}).deliver()  # type: ignore[arg-type]
    assert postbox[0].mails == []


def test_wrong_use_is_told(app: bide.App) -> None:
    class Homeless(Mailer):
        def welcome(self) -> None: ...

    with pytest.raises(MailError, match=r"class Homeless\(Mailer, app=app\)"):
        Homeless.delay.welcome()
    users = mailer(app, None)
    with pytest.raises(AttributeError, match="has no mail 'welcom'"):
        users.delay.welcom("Ada")
    with pytest.raises(EnqueueError, match="unknown option 'que'"):
        users.delay(que="x")
    with pytest.raises(MailError, match="give the mailer a transport"):
        users().welcome("Ada").deliver()
    with pytest.raises(MailError, match="use 'starttls', 'tls' or None"):
        SMTP(security="ssl")  # type: ignore[arg-type]
    with pytest.raises(MailError, match="has no recipients"):
        Mail("a@example.com", [], "s", transport=SMTP()).deliver()


def test_django_sends_what_its_settings_say() -> None:
    from django.conf import settings
    from django.core import mail as outside

    if not settings.configured:
        settings.configure()
    outside.outbox = []
    backend = "django.core.mail.backends.locmem.EmailBackend"
    Mail(
        "a@example.com", ["b@example.com"], "s", "text", "<b>", bcc=["c@example.com"], attachments=[Attachment("x.txt", "x")],
        transport=DjangoBackend(backend),
    ).deliver()  # fmt: skip
    Mail(
        "a@example.com", ["b@example.com"], "s", html="<i>", transport=DjangoBackend(backend)
    ).deliver()
    first, second = outside.outbox
    assert first.recipients() == ["b@example.com", "c@example.com"]
    assert first.alternatives[0][:2] == ("<b>", "text/html")
    assert [one[0] for one in first.attachments] == ["x.txt"]
    assert (second.body, second.content_subtype) == ("<i>", "html")
