"""Gettext's functions and PO files."""

from pathlib import Path

import pytest

from bide.errors import InvalidLocaleData
from bide.i18n import Gettext, GettextFunctions, I18n, Simple
from bide.i18n.po import plural_keys, register_plural_keys

GERMAN = {
    "Hi Gettext!": "Hallo Gettext!",
    "Sentence 1. Sentence 2.": "Satz 1. Satz 2.",
    "An apple": {"one": "Ein Apfel", "other": "{count} Äpfel"},
    "special": {
        "A special apple": {"one": "Ein spezieller Apfel", "other": "{count} spezielle Äpfel"}
    },
    "foo": {"bar": "bar auf Deutsch"},
}
PO = """
msgid "car"
msgstr "Auto"

msgid "Axis"
msgid_plural "Axis"
msgstr[0] "Achse"
msgstr[1] "Achsen"

msgctxt "Car"
msgid "Wheels count"
msgstr "Räderzahl"

msgid "Car|Model"
msgstr "Modell"

msgctxt "Car"
msgid "Door"
msgid_plural "Doors"
msgstr[0] "Tür"
msgstr[1] "Türen"

msgid "%{count} apple. Good."
msgid_plural "%{count} apples. Good."
msgstr[0] "%{count} Apfel. Gut."
msgstr[1] "%{count} Äpfel. Gut."

msgid "untranslated"
msgstr ""

#, fuzzy
msgid "unsure"
msgstr "unsicher"
"""


@pytest.fixture
def german() -> GettextFunctions:
    i18n = I18n(Simple())
    i18n.store("en", {"a": "b"})
    i18n.store("de", GERMAN)
    i18n.locale = "de"
    return GettextFunctions(i18n)


def test_messages_are_keys_and_defaults(german: GettextFunctions) -> None:
    """I18N-358..362."""
    assert german.N_("Hi Gettext!") == "Hi Gettext!"
    assert german.gettext("Hi Gettext!") == german._("Hi Gettext!") == "Hallo Gettext!"
    assert german.gettext("Hi missing!") == "Hi missing!"
    assert german.gettext("Sentence 1. Sentence 2.") == "Satz 1. Satz 2."
    assert german.gettext("Word 1. Word 2.") == "Word 1. Word 2."


def test_messages_may_have_a_scope_or_a_context(german: GettextFunctions) -> None:
    """I18N-363..367."""
    assert german.sgettext("foo|bar") == german.pgettext("foo", "bar") == "bar auf Deutsch"
    assert german.sgettext("foo|missing") == german.pgettext("foo", "missing") == "missing"
    assert german.sgettext("foo|a. b.") == "a. b."


def test_messages_with_a_count(german: GettextFunctions) -> None:
    """I18N-368..375."""
    assert german.ngettext("A pear", "{count} pears", 1) == "A pear"
    assert german.ngettext("A pear", "%{count} pears", 2) == "2 pears"
    assert german.ngettext("An apple", "{count} apples", 1) == "Ein Apfel"
    assert german.ngettext("An apple", "{count} apples", 2) == "{count} Äpfel"
    assert german.ngettext(["A pear", "%{count} pears"], 2) == "2 pears"
    assert german.ngettext(["A pear", "pears"], 1) == "A pear"
    assert german.ngettext(["An apple", "apples"], 1) == "Ein Apfel"
    assert german.ngettext(["An apple", "apples"], 2) == "{count} Äpfel"


def test_messages_with_scope_and_count(german: GettextFunctions) -> None:
    """I18N-376..391."""
    for ask in (
        lambda one, many, n: german.nsgettext(f"special|{one}", many, n),
        lambda one, many, n: german.nsgettext([f"special|{one}", many], n),
        lambda one, many, n: german.npgettext("special", one, many, n),
        lambda one, many, n: german.npgettext("special", [one, many], n),
    ):
        assert ask("A special pear", "%{count} special pears", 1) == "A special pear"
        assert ask("A special pear", "%{count} special pears", 2) == "2 special pears"
        assert ask("A special apple", "x", 1) == "Ein spezieller Apfel"
        assert ask("A special apple", "x", 2) == "{count} spezielle Äpfel"


def test_a_po_file_is_a_source_of_texts(tmp_path: Path) -> None:
    """I18N-392..402."""
    (tmp_path / "de.po").write_text(PO)
    i18n = I18n(Gettext(Simple(str(tmp_path / "*.po"))))
    assert i18n.available_locales == ["de"]
    i18n.store("en", {"a": "b"})
    functions = GettextFunctions(i18n)
    assert functions.gettext("car") == "car"
    i18n.locale = "de"
    assert functions.gettext("car") == "Auto"
    assert (
        functions.sgettext("Car|Wheels count")
        == functions.pgettext("Car", "Wheels count")
        == "Räderzahl"
    )
    assert functions.sgettext("Car|Model") == "Modell"
    assert functions.sgettext("Rocket|Right") == "Right"
    assert [functions.ngettext("Axis", "Axis", n) for n in (1, 2)] == ["Achse", "Achsen"]
    assert functions.ngettext("no", "nos", 2) == "nos"
    assert [functions.npgettext("Car", "Door", "Doors", n) for n in (1, 2)] == ["Tür", "Türen"]
    assert [functions.nsgettext(["Car|Door", "Doors"], n) for n in (1, 2)] == ["Tür", "Türen"]
    assert functions.nsgettext("Car|Window", "Windows", 2) == "Windows"
    apples = ("%{count} apple. Good.", "%{count} apples. Good.")
    assert functions.ngettext(*apples, 2) == "2 Äpfel. Gut."
    assert functions.gettext("untranslated") == "untranslated"
    assert functions.gettext("unsure") == "unsure"


def test_plural_forms_of_po_files_have_names(tmp_path: Path) -> None:
    """I18N-415..417."""
    assert plural_keys("xx") == ("one", "other")
    register_plural_keys("lt", "one", "few", "other")
    assert plural_keys("lt") == ("one", "few", "other")
    assert plural_keys()["en"] == ("one", "other")
    (tmp_path / "lt.po").write_text('msgid "a"\nmsgid_plural "b"\nmsgstr[0] "c"\nmsgstr[1] "d"\n')
    with pytest.raises(InvalidLocaleData, match="2 plural forms, lt needs 3"):
        I18n(Simple(tmp_path / "lt.po"), default_locale="lt").t("a")
