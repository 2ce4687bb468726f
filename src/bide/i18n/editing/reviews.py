"""Review: states, notes, suggestions of those who may not edit, and drafts."""

from __future__ import annotations

from typing import Any, Final

from bide import clock
from bide.db.connection import Connection
from bide.errors import InvalidTextArgument, TextRefused
from bide.i18n.editing.catalogue import APPROVED, NEEDS_REVIEW
from bide.i18n.editing.findings import has_errors
from bide.i18n.editing.kept import loaded, stored
from bide.i18n.editing.saving import Edit, Saved, Saving
from bide.i18n.editing.standing import checked_author, checked_key
from bide.i18n.locales import locale_name
from bide.i18n.side_tables.notes import NoteRows
from bide.i18n.side_tables.proposals import Kind, Proposal, ProposalRows

#: Characters of a note.
LONGEST_NOTE: Final = 10_000
#: Suggestions and drafts of one text.
MOST: Final = 50


class Reviews:
    """The review of the texts of some sources."""

    def __init__(self, saving: Saving) -> None:
        self._saving = saving
        self._rows = saving.sources.database.live.rows
        self._notes = NoteRows(self._rows)
        self._proposals = ProposalRows(self._rows)

    def approve(self, locale: str, key: str, author: str) -> None:
        """Say that a text is right as it is, for the source text of now. Raises TextRefused for one
        with errors."""
        found = self._saving.findings(locale, key, self._saving.value(locale, key))
        if has_errors(found):
            raise TextRefused(locale, key, [*found], confirmable=False)
        self._note(locale, key, author, state=APPROVED, based_on=self._source(locale, key))

    def request(self, locale: str, key: str, author: str) -> None:
        """Ask for a review of a text."""
        self._note(locale, key, author, state=NEEDS_REVIEW)

    def note(self, locale: str, key: str, text: str, author: str) -> None:
        """Keep a note beside a text; an empty one removes it."""
        if len(text) > LONGEST_NOTE or "\0" in text:
            raise InvalidTextArgument(
                f"a note holds {LONGEST_NOTE} characters, none of them NUL; this has {len(text)}"
            )
        self._note(locale, key, author, note=text or None)

    def suggest(self, locale: str, key: str, value: Any, author: str) -> None:
        """Propose a text that others accept or reject. Raises TextRefused for one with errors."""
        found = self._saving.findings(locale, key, value)
        if has_errors(found):
            raise TextRefused(locale, key, [*found], confirmable=False)
        self._propose("suggestion", locale, key, value, author)

    def draft(self, locale: str, key: str, value: Any, author: str) -> None:
        """Keep a text that is not to be live yet, or not fit for it; one per author and text."""
        self._propose("draft", locale, key, value, author)

    def proposals(self, locale: str, key: str) -> list[Proposal]:
        """The suggestions and drafts of a text, the oldest first."""
        return self._rows.database.read(lambda c: self._proposals.of(c, locale, key))

    def find(self, number: int) -> Proposal:
        """A suggestion or draft. Raises InvalidTextArgument when it is gone."""
        found = self._rows.database.read(lambda c: self._proposals.get(c, number))
        if found is None:
            raise InvalidTextArgument(
                f"there is no suggestion {number}; somebody took or removed it"
            )
        return found

    def accept(self, number: int, edit: Edit) -> Saved:
        """Make a suggestion or draft live; of `edit` everything but the text. Raises what saving
        raises: it is checked against the source text of now."""
        proposal = self.find(number)

        def work(connection: Connection) -> str:
            mine = edit._replace(
                locale=proposal.locale, key=proposal.key, value=loaded(proposal.value)
            )
            revision = self._saving.put(connection, mine)
            self._proposals.remove(connection, number)
            self._count(connection, proposal.locale, proposal.key)
            return revision

        return self._saving.transaction(edit.author, work)

    def reject(self, number: int, author: str) -> None:
        """Remove a suggestion or draft."""
        proposal = self.find(number)

        def work(connection: Connection) -> None:
            self._proposals.remove(connection, number)
            self._count(connection, proposal.locale, proposal.key)

        self._saving.transaction(author, work)

    def _propose(self, kind: Kind, locale: str, key: str, value: Any, author: str) -> None:
        name, author = locale_name(locale), checked_author(author)
        text, source = stored(value), self._source(locale, key)
        proposal = Proposal(0, name, checked_key(key), kind, text, source, author, clock.utc_now())

        def work(connection: Connection) -> None:
            there = self._proposals.of(connection, name, key)
            same = [one.id for one in there if (one.author, one.kind) == (author, kind)]
            twice = any((one.kind, one.value) == ("suggestion", text) for one in there)
            if len(there) >= MOST:
                raise InvalidTextArgument(
                    f"{locale}.{key} has {MOST} suggestions; look at them first"
                )
            if kind == "draft":
                self._proposals.remove(connection, *same)
            if not twice or kind == "draft":
                self._proposals.add(connection, proposal)
            self._count(connection, name, key)

        self._saving.transaction(author, work)

    def _count(self, connection: Connection, locale: str, key: str) -> None:
        number = self._proposals.count(connection, locale, key)
        self._notes.put(connection, locale, key, proposals=number)

    def _note(self, locale: str, key: str, author: str, **changes: Any) -> None:
        name, key = locale_name(locale), checked_key(key)
        self._saving.transaction(
            author, lambda c: self._notes.put(c, name, key, author=author, **changes)
        )

    def _source(self, locale: str, key: str) -> str | None:
        sources = self._saving.sources
        return None if locale == sources.source_locale else stored(self._saving.source(key))
