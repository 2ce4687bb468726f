"""All that editing texts takes, put together for one I18n."""

from __future__ import annotations

from bide.i18n.editing.catalogue import Catalogue
from bide.i18n.editing.history import History
from bide.i18n.editing.languages import Languages
from bide.i18n.editing.listing import Listing
from bide.i18n.editing.readers import Readers
from bide.i18n.editing.reviews import Reviews
from bide.i18n.editing.saving import Edit, Saved, Saving
from bide.i18n.editing.sources import Sources
from bide.i18n.editing.text import Text, Texts
from bide.i18n.editing.writers import Writers
from bide.i18n.translator import I18n


class Editor:
    """`Editor(i18n)`: what the screens and commands do with the texts of an application.

    Opens nothing before it is used. `own`: for the words of Bide's own screens. Raises SettingsError
    for an I18n without a Database.
    """

    def __init__(self, i18n: I18n, *, own: bool = False) -> None:
        self.sources = Sources(i18n, own=own)
        self.catalogue = Catalogue(self.sources)
        self.saving = Saving(self.sources)
        self.history = History(self.saving)
        self.reviews = Reviews(self.saving)
        self.languages = Languages(self.saving)
        self.readers = Readers(self.sources)
        self.writers = Writers(self.sources)
        self._texts = Texts(self.saving)

    @property
    def source_locale(self) -> str:
        """The language that is translated from."""
        return self.sources.source_locale

    def listing(self, locale: str) -> Listing:
        """All texts of a language with their states."""
        return self.catalogue.listing(locale)

    def text(self, locale: str, key: str) -> Text:
        """One text with everything that is known of it."""
        return self._texts.text(locale, key)

    def save(self, edit: Edit) -> Saved:
        """Make a change live; see Saving.save."""
        return self.saving.save(edit)
