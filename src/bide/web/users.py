"""A list of people with passwords, for screens that are not mounted behind a login of their own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from bide.errors import SettingsError
from bide.web.roles import Viewer
from bide.web.sessions import LIFETIME, Sessions

#: Cost, block size and parallelism of scrypt: some 16 MB and 50 ms for each try.
_COST: Final = (2**14, 8, 1)
_LONGEST: Final = 1024


class User(NamedTuple):
    """One line of the list."""

    viewer: Viewer
    password: str

    @property
    def mark(self) -> str:
        """Changes with the password, so that sessions made with the old one end."""
        return hashlib.sha256(self.password.encode()).hexdigest()[:16]


class Users:
    """`Users({"ada": {"password": hashed_password("..."), "roles": ["everything"]}})`.

    `secret` signs their sessions; without one each process makes its own, which several processes, or a
    restart, do not share. A session lasts `session_lifetime` seconds. Raises SettingsError.
    """

    def __init__(
        self,
        users: Mapping[str, Any],
        *,
        secret: str | None = None,
        session_lifetime: float = LIFETIME,
    ) -> None:
        self.sessions = Sessions(secret, session_lifetime)
        self._users = {str(name): _user(str(name), entry) for name, entry in users.items()}
        if not self._users:
            raise SettingsError("the list of users is empty, so nobody could look at the screens")

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> Users:
        """A TOML file: a table for each name, with `password` (from `bide web --hash-password`) and `roles`."""
        try:
            users = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"the list of users {path} cannot be read: {error}") from error
        return cls(users, **options)

    def get(self, name: str) -> User | None:
        """The user of that name."""
        return self._users.get(name)

    def check(self, name: str, password: str) -> User | None:
        """The user, when the password is theirs; takes as long for names that do not exist."""
        user = self._users.get(name)
        right = _matches(password, _NOBODY if user is None else user.password)
        return user if right else None


def hashed_password(password: str) -> str:
    """What a list of users keeps instead of the password."""
    if not password or len(password) > _LONGEST:
        raise SettingsError(f"a password has between 1 and {_LONGEST} characters")
    salt = secrets.token_bytes(16)
    return f"scrypt${_text(salt)}${_text(_digest(password, salt))}"


def _matches(password: str, stored: str) -> bool:
    _, salt, digest = stored.split("$")
    if len(password) > _LONGEST:
        return False
    return hmac.compare_digest(_digest(password, _bytes(salt)), _bytes(digest))


def _digest(password: str, salt: bytes) -> bytes:
    n, r, p = _COST
    return hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)


#: Compared with when there is no such name.
_NOBODY: Final = f"scrypt${_text(bytes(16))}${_text(bytes(64))}"


def _user(name: str, entry: Any) -> User:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("roles"), (list, tuple)):
        raise SettingsError(f'the user {name!r} needs a password and roles = ["jobs.view"]')
    password = entry.get("password")
    try:
        kind, salt, digest = str(password).split("$")
        sound = kind == "scrypt" and len(_bytes(salt)) == 16 and len(_bytes(digest)) == 64
    except ValueError:
        sound = False
    if not sound:
        raise SettingsError(
            f"the password of {name!r} is no hash; make one with `bide web --hash-password`"
        )
    return User(Viewer(name, entry["roles"]), str(password))
