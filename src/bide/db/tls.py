"""PyMySQL's connections without the certificates of the system, where nothing is verified by them."""

from __future__ import annotations

import os
from typing import Any, ClassVar, Final

import pymysql
from pymysql.connections import Connection

#: In PyMySQL 1.2 no option about TLS means: with whomever, if the server offers it.
_PREFERRED: Final[dict[str, Any]] = {}
_KNOWN: Final = (1, 2)
#: The same, naming a folder of certificates: no file is read before one is looked for in it.
_UNREAD: Final = {"capath": os.devnull, "check_hostname": False, "verify_mode": False}


def connect(*args: Any, **params: Any) -> Any:
    """A connection as `pymysql.connect` makes it, which is taken where somebody has wrapped it."""
    plain = pymysql.connect
    known = plain is Connection and pymysql.VERSION[:2] == _KNOWN
    return (Lean if known else plain)(*args, **params)


class Lean(Connection):
    """One context for all that verify nothing, of a megabyte less. Any other is PyMySQL's."""

    _context: ClassVar[Any] = None

    def _create_ssl_ctx(self, sslp: Any) -> Any:
        plain: Any = super()
        if sslp != _PREFERRED:
            return plain._create_ssl_ctx(sslp)
        if Lean._context is None:
            Lean._context = plain._create_ssl_ctx(_UNREAD)
        return Lean._context
