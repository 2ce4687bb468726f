"""Mail that is written and sent by a worker, in its reader's language.

class UserMailer(Mailer, app=app):
    sender = "Shop <shop@example.com>"
    transport = SMTP("mail.example.com", 587, username="shop", password=...)

    def welcome(self, user):
        return self.mail(to=user.email, subject=t("welcome.subject"), text=t("welcome.text", name=user.name))

UserMailer.delay.welcome(user)                          # stores a job; a worker writes the mail and sends it
UserMailer.delay(queue="mail", locale="de").welcome(user)
UserMailer().welcome(user).deliver()                    # writes and sends it now
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bide.app import App
from bide.contrib.mail_transports import SMTP, Attachment, DjangoBackend, Mail, Transport
from bide.errors import MailError
from bide.jobs.enqueue import Options

__all__ = ["SMTP", "Attachment", "DjangoBackend", "Mail", "Mailer", "Transport"]

Addresses = str | Iterable[str]


class Later:
    """`UserMailer.delay`: calling an action stores a job; called itself it takes options.

    Options: those of every job (`queue`, `priority`, `run_at`, `max_attempts`, `session`), and `locale`, the
    language of the reader where it is not that of the one who enqueues.
    """

    def __init__(
        self,
        mailer: type[Mailer],
        enqueue: Callable[..., Any],
        params: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> None:
        self._mailer, self._enqueue, self._params = mailer, enqueue, params
        self._options = dict(options)
        self._locale = self._options.pop("locale", None)
        Options.of(self._options)

    def __call__(self, **options: Any) -> Later:
        return Later(self._mailer, self._enqueue, self._params, options)

    def __getattr__(self, action: str) -> Callable[..., Any]:
        if action.startswith("_") or not callable(getattr(self._mailer, action, None)):
            raise AttributeError(f"{self._mailer.__qualname__} has no mail {action!r}")

        def enqueue(*args: Any, **kwargs: Any) -> Any:
            delivery = Delivery(
                self._mailer, action, args, kwargs, dict(self._params), self._locale
            )  # fmt: skip
            return self._enqueue(delivery, **self._options)

        return enqueue


class _Delaying:
    """Gives a class its `delay` or `adelay`; a mailer made with parameters keeps them."""

    def __init__(self, method: str) -> None:
        self._method = method

    def __get__(self, mailer: Mailer | None, cls: type[Mailer]) -> Later:
        enqueue = getattr(cls.application(), self._method)
        return Later(cls, enqueue, {} if mailer is None else mailer.params, {})


class Mailer:
    """The base of classes whose methods write mails.

    `sender`, `transport` and `queue` are those of all its mails. `UserMailer(invitation=x)` has parameters
    (`self.params`), which travel with a delayed mail: `UserMailer(invitation=x).delay.invited()`.
    """

    sender: ClassVar[str] = ""
    transport: ClassVar[Transport | None] = None
    queue: ClassVar[str | None] = None
    delay = _Delaying("enqueue")
    adelay = _Delaying("aenqueue")
    _app: ClassVar[App | None] = None

    def __init__(self, **params: Any) -> None:
        self.params = params

    def __init_subclass__(cls, *, app: App | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        if app is not None:
            cls._app = app
        if cls._app is not None:
            cls._app.register(cls)
            _declare(cls._app)

    @classmethod
    def application(cls) -> App:
        """The App that the mailer was declared with. Raises MailError for none."""
        if cls._app is None:
            raise MailError(
                f"write `class {cls.__name__}(Mailer, app=app)`, so that it can store jobs"
            )
        return cls._app

    def mail(
        self,
        *,
        to: Addresses,
        subject: str,
        text: str = "",
        html: str = "",
        sender: str | None = None,
        attachments: Iterable[Attachment | tuple[str, bytes | str]] = (),
        **more: Any,
    ) -> Mail:
        """A mail of this mailer; `more` are `cc`, `bcc`, `reply_to` and `headers`."""
        for name in ("cc", "bcc", "reply_to"):
            if name in more:
                more[name] = _listed(more[name])
        held = [Attachment(*attachment) for attachment in attachments]
        sender = self.sender if sender is None else sender
        return Mail(
            sender, _listed(to), str(subject), str(text), str(html),
            attachments=held, transport=self.transport, **more,
        )  # fmt: skip


@dataclass
class Delivery:
    """The job: which mail of which mailer. `locale` None: the language it was enqueued in."""

    mailer: Any
    action: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    locale: str | None = None

    @property
    def display_name(self) -> str:
        """What lists call it: `UserMailer.welcome`."""
        return f"{self.mailer.__qualname__}.{self.action}"

    @property
    def queue_name(self) -> str | None:
        """The mailer's queue."""
        named: str | None = self.mailer.queue
        return named

    def perform(self) -> None:
        """Write the mail and send it; an action that gives no mail sends none."""
        if not (isinstance(self.mailer, type) and issubclass(self.mailer, Mailer)):
            raise MailError(f"{self.mailer!r} is no mailer")
        if self.action.startswith("_"):
            raise MailError(f"{self.action!r} is no mail")
        with self._speaking():
            mail = getattr(self.mailer(**self.params), self.action)(*self.args, **self.kwargs)
        if mail is not None:
            mail.deliver()

    def _speaking(self) -> AbstractContextManager[None]:
        i18n = self.mailer.application().i18n
        return (
            nullcontext() if self.locale is None or i18n is None else i18n.with_locale(self.locale)
        )


def _declare(app: App) -> None:
    if app.registry.declared(Delivery) is None:
        app.job(Delivery)


def _listed(addresses: Addresses) -> list[str]:
    return [addresses] if isinstance(addresses, str) else list(addresses)
