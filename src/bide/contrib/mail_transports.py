"""A mail, and the ways to send one: an SMTP server, or the backend that Django is set to."""

from __future__ import annotations

import mimetypes
import re
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from typing import Any, Final, Literal, NamedTuple, NoReturn, Protocol

from bide import clock, events
from bide.errors import MailError
from bide.jobs.handle import current_job

_HEADER: Final = re.compile(r"[!-9;-~]{1,76}")


class Attachment(NamedTuple):
    """A file of a mail; `kind` is a media type, None: by its name."""

    name: str
    content: bytes | str
    kind: str | None = None


class Transport(Protocol):
    """Sends mails. Raises MailError, or what the way itself raises; then the job is tried again."""

    def send(self, mail: Mail) -> None: ...


@dataclass
class Mail:
    """A mail that was written and not sent yet."""

    sender: str
    to: Sequence[str]
    subject: str
    text: str = ""
    html: str = ""
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: Sequence[str] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    attachments: Sequence[Attachment] = ()
    transport: Transport | None = None

    def deliver(self) -> None:
        """Send it now. Raises MailError, and what the transport raises."""
        if self.transport is None:
            raise MailError(
                "there is no way to send mail; give the mailer a transport, e.g. SMTP('localhost')"
            )
        self.transport.send(self)

    @property
    def delay(self) -> NoReturn:
        """Written mail is not delayed: what it was written from would be gone (queue.md DJ-179)."""
        raise MailError(
            "this mail is written already; write it later: UserMailer.delay.welcome(user), not "
            "UserMailer().welcome(user).delay"
        )

    @property
    def recipients(self) -> list[str]:
        """Everybody who gets it."""
        return [*self.to, *self.cc, *self.bcc]

    def message(self) -> EmailMessage:
        """The mail as RFC 5322 wants it. Raises MailError for addresses and headers that cannot be."""
        message = EmailMessage()
        try:
            self._head(message)
            self._body(message)
        except (ValueError, TypeError, LookupError, MessageError) as error:
            raise MailError(f"the mail {self.subject[:80]!r} cannot be written: {error}") from error
        return message

    def _head(self, message: EmailMessage) -> None:
        for address in (self.sender, *self.recipients):
            if "@" not in parseaddr(address)[1]:
                raise ValueError(f"{address[:80]!r} is no address")
        named = {"From": [self.sender], "To": self.to, "Cc": self.cc, "Reply-To": self.reply_to}
        for name, addresses in named.items():
            if addresses:
                message[name] = ", ".join(addresses)
        message["Subject"] = self.subject
        message["Date"] = formatdate(clock.utc_now().timestamp())
        message["Message-ID"] = _message_id(parseaddr(self.sender)[1].rpartition("@")[2])
        for name, value in self.headers.items():
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            del message[name]
            message[name] = value

    def _body(self, message: EmailMessage) -> None:
        message.set_content(self.text)
        if self.html and self.text:
            message.add_alternative(self.html, subtype="html")
        elif self.html:
            message.set_content(self.html, subtype="html")
        for name, content, kind in self.attachments:
            found = kind or mimetypes.guess_type(name)[0] or "application/octet-stream"
            main, _, sub = found.partition("/")
            raw = content.encode() if isinstance(content, str) else content
            message.add_attachment(raw, maintype=main, subtype=sub, filename=name)


def _message_id(domain: str) -> str:
    """The same for every attempt of a job, so that servers can tell a repetition."""
    job = current_job()
    if job is None or job.id is None or job.created_at is None:
        return make_msgid(domain=domain)
    return f"<bide.{job.id}.{job.created_at.timestamp():.0f}@{domain}>"


class SMTP:
    """A mail server. `security`: "starttls" (the default where there is a password), "tls", or None.

    Each mail has a connection of its own: none is held, so none crosses a fork.
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 25,
        *,
        username: str | None = None,
        password: str | None = None,
        security: Literal["starttls", "tls", "default"] | None = "default",
        timeout: float = 30.0,
    ) -> None:
        if security == "default":
            security = "starttls" if password else None
        if security not in ("starttls", "tls", None):
            raise MailError(f"security={security!r}; use 'starttls', 'tls' or None")
        self.host, self.port, self.timeout, self.security = host, port, timeout, security
        self._username, self._password = username, password

    def send(self, mail: Mail) -> None:
        """Hand it to the server. Raises smtplib's errors and OSError; who alone was refused is logged."""
        message = mail.message()
        if not mail.recipients:
            raise MailError(f"the mail {mail.subject[:80]!r} has no recipients")
        with self._connected() as server:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self._username is not None:
                server.login(self._username, self._password or "")
            sender = parseaddr(mail.sender)[1]
            refused = server.send_message(
                message, sender, [parseaddr(each)[1] for each in mail.recipients]
            )
        if refused:
            # The others have it: trying again would send it to them twice.
            events.emit("mail_refused", subject=mail.subject, refused=refused)

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=context)
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout)

    def __repr__(self) -> str:
        return f"<SMTP {self.host}:{self.port}>"


class DjangoBackend:
    """Whatever Django sends mail with: EMAIL_BACKEND, or the backend named; options go to it."""

    def __init__(self, backend: str | None = None, **options: Any) -> None:
        self._backend, self._options = backend, options

    def send(self, mail: Mail) -> None:
        """Hand it to the backend; raises what that raises."""
        from django.core.mail import EmailMultiAlternatives, get_connection

        mail.message()  # the same addresses and headers are refused as elsewhere
        connection = get_connection(self._backend, fail_silently=False, **self._options)
        message = EmailMultiAlternatives(
            mail.subject, mail.text or mail.html, mail.sender, list(mail.to), list(mail.bcc), connection,
            headers=dict(mail.headers), cc=list(mail.cc), reply_to=list(mail.reply_to),
        )  # fmt: skip
        if mail.html and mail.text:
            message.attach_alternative(mail.html, "text/html")
        elif mail.html:
            message.content_subtype = "html"
        for name, content, kind in mail.attachments:
            message.attach(name, content, kind)
        message.send()
