"""The shop's texts: files, and before them whatever editors have written into the database."""

from pathlib import Path

from bide.contrib.django import app
from bide.i18n import Chain, Database, I18n, Simple

FILES = Path(__file__).with_name("locales") / "*.yml"
i18n = I18n(Chain(Database(app), Simple(str(FILES))), default_locale="en")
