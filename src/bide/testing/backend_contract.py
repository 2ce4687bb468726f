"""What every backend of texts must do: subclass BackendContract in your tests, say how to make yours.

    from bide.testing.backend_contract import BackendContract

    class TestMyBackend(BackendContract):
        def make_backend(self):
            return MyBackend()

Read top to bottom, the classes of `bide.testing.texts` are the specification of a backend.
"""

from __future__ import annotations

import pytest

from bide.i18n import Backend, I18n
from bide.testing.texts.callables import CallablesContract
from bide.testing.texts.choosing import DefaultsContract, LinkContract, PluralContract
from bide.testing.texts.filling import FillingContract
from bide.testing.texts.looking_up import LookupContract
from bide.testing.texts.moments import MomentsContract


class BackendContract(
    LookupContract,
    DefaultsContract,
    FillingContract,
    PluralContract,
    LinkContract,
    MomentsContract,
    CallablesContract,
):
    """The whole behaviour list (I18N-001..142). `holds_callables = False` skips, with that reason,
    what a backend that keeps plain data cannot do."""

    holds_callables = True

    def make_backend(self) -> Backend:
        """A new backend without texts, to which texts can be stored."""
        raise NotImplementedError("override make_backend(): it returns an empty backend")

    @pytest.fixture
    def i18n(self) -> I18n:
        """The backend in use, English by default."""
        return I18n(self.make_backend())
