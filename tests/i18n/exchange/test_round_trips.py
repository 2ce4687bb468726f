"""What is written in any format is read as it was."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bide.i18n.exchange.entries import Entry, key_shown_as, shown_key
from bide.i18n.exchange.formats import FORMATS, format_of
from bide.i18n.keys import Key, canonical
from bide.i18n.plurals import plural_categories

quick = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
LOCALES = ("en", "ru", "ar", "ja", "de-AT", "no", "xx-unknown")
READABLE = st.characters(exclude_categories=["Cs"])
TEXTS = st.one_of(
    st.text(READABLE),
    st.sampled_from(
        ["", "yes", "null", "1,000", "=1+1", "'=1", "-x", "@a", ":x", "a: b # c", "%{x}\r\n", "\x00", "\ufffe",
         "<b>&amp;</b>", "]]>", '"', "\\n", "~", "\u2028", "%%", "one\n\ntwo\n", " padded "]
    ),
)  # fmt: skip
NUMBERS = st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False))
SINGLE = st.one_of(TEXTS, NUMBERS, st.booleans(), st.sampled_from([Key("a.b"), Key("odd name!")]))
VALUES = st.one_of(SINGLE, st.lists(TEXTS, min_size=1, max_size=3).map(tuple))
PARTS = st.text(READABLE, min_size=1, max_size=8).map(
    lambda text: canonical(text.replace(".", "\x01"))
)


@st.composite
def texts(draw: st.DrawFn) -> list[Entry]:
    """Texts of one locale, none above another, some of them plural forms."""
    locale = draw(st.sampled_from(LOCALES))
    found: dict[str, Entry] = {}
    for first in draw(st.lists(PARTS, unique=True, max_size=5)):
        form = draw(st.booleans())
        below = (
            plural_categories(locale) if form else draw(st.lists(PARTS, unique=True, max_size=3))
        )
        for part in below:
            value = draw(TEXTS if form else VALUES)
            source, note = (
                draw(st.one_of(st.none(), st.just("source"))),
                draw(st.sampled_from(["", "n"])),
            )
            found[f"{first}.{part}"] = Entry(locale, f"{first}.{part}", value, source, note)
    return list(found.values())


def written(name: str, entries: list[Entry]) -> bytes:
    file = io.BytesIO()
    FORMATS[name].write(file, entries, "en")
    return file.getvalue()


def read(name: str, content: bytes, locale: str | None = None) -> list[Entry]:
    return list(FORMATS[name].read(io.BytesIO(content), f"words.{name}", locale))


def told(entries: list[Entry]) -> list[tuple[str, str, str]]:
    return sorted(
        (entry.locale, entry.key, f"{type(entry.value).__name__} {entry.value!r}")
        for entry in entries
    )


@pytest.mark.parametrize("name", FORMATS)
@quick
@given(entries=texts())
def test_texts_survive_a_format(name: str, entries: list[Entry]) -> None:
    if FORMATS[name].one_locale and not entries:
        return
    if name == "json":
        entries = [entry for entry in entries if not isinstance(entry.value, Key)]
    assert told(read(name, written(name, entries))) == told(entries)


@quick
@given(key=st.text(READABLE))
def test_keys_survive_a_cell(key: str) -> None:
    shown = shown_key(key)
    assert key_shown_as(shown) == key
    assert not any(character in shown for character in "\x01\n\r\t\x00")


@pytest.mark.skipif(
    shutil.which("msgfmt") is None, reason="msgfmt is absent: apt-get install gettext"
)
@pytest.mark.parametrize("locale", LOCALES)
def test_gettext_compiles_what_is_written(locale: str, tmp_path: Path) -> None:
    forms = [Entry(locale, f"count.{form}", f"{form} ü", "n") for form in plural_categories(locale)]
    path = tmp_path / "x.po"
    path.write_bytes(written("po", [*forms, Entry(locale, "a.b", 'x "y"\nz', "source", "note")]))
    command = [
        "msgfmt",
        "--check-format",
        "--check-domain",
        "-o",
        str(tmp_path / "x.mo"),
        str(path),
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_csv_runs_nothing_in_a_spreadsheet() -> None:
    shown = written(
        "csv", [Entry("en", "a", "=HYPERLINK()"), Entry("en", "b", "-1+1", "@x", "+n")]
    ).decode()
    assert "'=HYPERLINK()" in shown
    assert "'-1+1" in shown
    assert "'@x" in shown
    assert "'+n" in shown


def test_json_tells_which_links_it_left_out() -> None:
    file = io.BytesIO()
    left_out = FORMATS["json"].write(
        file, [Entry("en", "a", Key("b")), Entry("en", "b", "B")], "en"
    )
    assert left_out == ["en.a"]
    assert told(read("json", file.getvalue())) == told([Entry("en", "b", "B")])


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("de.yml", "yaml"),
        ("x.JSON", "json"),
        ("x.po", "po"),
        ("x.csv", "csv"),
        ("a.b.xlf", "xliff"),
    ],
)
def test_a_format_is_known_by_its_extension(filename: str, name: str) -> None:
    assert format_of(filename).name == name
