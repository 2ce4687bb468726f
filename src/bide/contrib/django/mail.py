"""EMAIL_BACKEND = "bide.contrib.django.mail.EmailBackend": mail is stored and sent by a worker."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from bide.app import App
from bide.contrib.django.application import project_app
from bide.contrib.django.mail_jobs import SendMail
from bide.contrib.django.settings import ProjectSettings


class EmailBackend(BaseEmailBackend):
    """Stores each message as a job, in the transaction that is open; it is sent after the commit."""

    def send_messages(self, email_messages: Iterable[EmailMessage]) -> int:
        """How many were stored. What cannot be stored raises EnqueueError, unless fail_silently."""
        app: App = project_app()
        queue = ProjectSettings.load().email_queue
        stored = 0
        for message in email_messages:
            if not message.recipients():
                continue
            try:
                app.enqueue(SendMail.of(message), queue=queue)
            except Exception:
                if not self.fail_silently:
                    raise
            else:
                stored += 1
        return stored
