"""Mail as jobs: what is stored of a message of Django."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import Message
from typing import Any

from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.utils.module_loading import import_string

from bide.contrib.django.settings import ProjectSettings

#: What payloads call it.
NAME = "django.mail"


@dataclass
class SendMail:
    """One message, as plain data; sent by the backend that settings.BIDE["EMAIL_BACKEND"] names."""

    subject: str
    body: str
    from_email: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    reply_to: list[str]
    headers: dict[str, str]
    subtype: str = "plain"
    encoding: str | None = None
    alternatives: list[tuple[str, str]] = field(default_factory=list)
    attachments: list[tuple[str | None, str | bytes, str | None]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    @property
    def display_name(self) -> str:
        """What lists call it; addresses are nobody's business there."""
        return f"mail: {self.subject}"

    @classmethod
    def of(cls, message: EmailMessage) -> SendMail:
        """A message taken apart. A new EmailMessage is made when it is sent: subclasses do not travel."""
        whole = [one for one in message.attachments if isinstance(one, Message)]
        plain = [tuple(one) for one in message.attachments if not isinstance(one, Message)]
        others = getattr(message, "alternatives", None) or []
        return cls(
            str(message.subject), str(message.body), str(message.from_email),
            [str(one) for one in message.to], [str(one) for one in message.cc],
            [str(one) for one in message.bcc], [str(one) for one in message.reply_to],
            {str(name): str(value) for name, value in message.extra_headers.items()},
            message.content_subtype, message.encoding,
            [(str(content), str(kind)) for content, kind in others],
            [(name, content, kind) for name, content, kind in plain],
            [one.as_bytes() for one in whole],
        )  # fmt: skip

    def perform(self) -> None:
        """Send it."""
        _backend(ProjectSettings.load().email_backend).send_messages([self.message()])

    def message(self) -> EmailMessage:
        """The message again."""
        made = EmailMultiAlternatives(
            self.subject, self.body, self.from_email, self.to, bcc=self.bcc, cc=self.cc,
            reply_to=self.reply_to, headers=self.headers, alternatives=self.alternatives,
        )  # fmt: skip
        made.content_subtype, made.encoding = self.subtype, self.encoding
        for name, content, kind in self.attachments:
            made.attach(name, content, kind)
        for part in self.parts:
            made.attach(message_from_bytes(part, policy=policy.default))
        return made


def _backend(name: str) -> Any:
    """What sends: the mailer of that alias where Django has MAILERS, else the class at that path."""
    mailers = getattr(mail, "mailers", None)  # since Django 6.1
    if mailers is not None and name in mailers:
        return mailers[name]
    return import_string(name)()
