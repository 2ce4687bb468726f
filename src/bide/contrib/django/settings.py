"""settings.BIDE: what a project says of its App."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from bide.errors import SettingsError
from bide.workers.settings import Settings

#: Settings of an App that are said here in another way.
_NOT_HERE = ("database_url",)


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """settings.BIDE, read: keys in capitals, the App's own settings among them.

    `database` is the alias of the database with the jobs. `i18n` is the dotted path of an I18n (or of
    a function that makes one), which `app.use` is given; with `gettext` Django's own functions ask it
    before Django's files. `app` is the dotted path of an App of your
    own, which is used instead of one made here. `roles` says which permissions open the screens.
    `email_backend` (the path of a class, or an alias of MAILERS) sends the mail that
    bide.contrib.django.mail.EmailBackend stored, in `email_queue`.
    """

    database: str = "default"
    database_url: str | None = None
    app: str | None = None
    i18n: str | None = None
    gettext: bool = False
    roles: dict[str, str] | None = None
    email_backend: str = "django.core.mail.backends.smtp.EmailBackend"
    email_queue: str | None = None
    of_app: dict[str, Any] | None = None

    @classmethod
    def load(cls) -> ProjectSettings:
        """From django.conf.settings. Raises SettingsError naming every unknown key."""
        from django.conf import settings

        given = getattr(settings, "BIDE", {})
        if not isinstance(given, dict):
            raise SettingsError(f"settings.BIDE is {given!r}, and must be a dictionary")
        own = {one.name for one in fields(cls)} - {"of_app"}
        apps = {one.name for one in fields(Settings)} - set(_NOT_HERE)
        problems = [_problem(key, own | apps) for key in given if _name(key) not in own | apps]
        if problems:
            raise SettingsError(*problems)
        named = {_name(key): value for key, value in given.items()}
        return cls(
            **{name: value for name, value in named.items() if name in own},
            of_app={name: value for name, value in named.items() if name in apps},
        )


def table(name: str) -> str:
    """The name of a table of Bide's in this project."""
    return f"{(ProjectSettings.load().of_app or {}).get('table_prefix', 'bide_')}{name}"


def _name(key: object) -> str:
    return key.lower() if isinstance(key, str) and key.isupper() else ""


def _problem(key: object, known: set[str]) -> str:
    names = ", ".join(sorted(name.upper() for name in known))
    return f"settings.BIDE has an unknown key {key!r}; the keys are {names}"
