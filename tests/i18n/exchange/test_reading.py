"""Files that other tools wrote, and files that are broken."""

from __future__ import annotations

import io

import pytest

from bide.errors import InvalidLocaleData, InvalidTextArgument, UnknownFileType
from bide.i18n.exchange.entries import LARGEST, Entry
from bide.i18n.exchange.formats import FORMATS, format_of


def read(name: str, content: str | bytes, locale: str | None = None) -> list[Entry]:
    raw = content.encode() if isinstance(content, str) else content
    return list(FORMATS[name].read(io.BytesIO(raw), "words", locale))


PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: de\\n"\n'
XLIFF = '<xliff version="1.2"><file target-language="de">{}</file></xliff>'


@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("yaml", "de:\n  a: [1\n", 3),
        ("yaml", "de:\n  a: !ruby/object:X {}\n", 2),
        ("yaml", "de:\n  ? [a]\n  : x\n", 2),
        ("json", '{"de": {\n"a" 1}}', 2),
        ("po", PO + '\nmsgid "a\nmsgstr "x"\n', 6),
        ("po", PO + '\nmsgid "a"\nwords "x"\n', 7),
        ("csv", "locale,key,text\nde,a,x\nde,b\n", 3),
        ("csv", "locale,key,text\nde,..,x\n", 2),
        ("csv", "locale,key,text\n,a,x\n", 2),
        ("csv", "locale,key,text,kind\nde,a,x,yaml\nde,b,[1,yaml\n", 3),
        ("csv", "locale,key,text,kind\nde,a,x,code\n", 2),
        ("csv", "word,meaning\na,b\n", 1),
        ("csv", "", 1),
        ("xliff", "<xliff>\n<file></xliff>", 2),
        ("xliff", "<xliff><file>\n<unit id='a'><target>x</target></unit></file></xliff>", 2),
        ("xliff", "<!DOCTYPE x [<!ENTITY a 'b'>]>\n<xliff/>", 1),
        ("xliff", XLIFF.format("\n<trans-unit id=''><target>x</target></trans-unit>"), 2),
    ],
)
def test_a_broken_file_is_told_with_its_line(name: str, content: str, line: int) -> None:
    with pytest.raises(InvalidLocaleData, match=rf"words, line {line}: ") as caught:
        read(name, content)
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("yaml", "a list\n"),
        ("yaml", "de: text\n"),
        ("yaml", b"\xff\xfe\xfa"),
        ("yaml", "de: {" + "a: {" * 2000 + "}" * 2001),
        ("yaml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{y}: &{y} [{','.join([f'*{x}'] * 9)}]\n" for x, y in zip("abcdefgh", "bcdefghi", strict=True)) + "de: {a: *i}"),
        ("json", "[]"),
        ("json", b"\xff"),
        ("json", '{"de": {"a": ' + "9" * 5000 + "}}"),
        ("json", '{"de": ' + '{"a": ' * 5000 + "1" + "}" * 5001),
        ("po", PO.replace("de", "") + '\nmsgid "a"\nmsgstr "x"\n'),
        ("po", PO.replace("UTF-8", "no-such-code") + '\nmsgid "a"\nmsgstr "x"\n'),
        ("po", PO + '"X-Bide-Keys: msgctxt\\n"\n"Plural-Forms: nplurals=2; plural=__import__;\\n"\n\nmsgid "a"\nmsgstr "x"\n'),
        ("po", b"\xff\xfe\x00"),
        ("csv", b"key,text,locale\n\xff,x,de\n"),
        ("csv", 'key,text,locale\n"a,x,de\n'),
        ("xliff", "no xml"),
        ("xliff", ""),
    ],
)  # fmt: skip
def test_a_file_that_holds_no_texts_is_refused(name: str, content: str | bytes) -> None:
    with pytest.raises(InvalidLocaleData, match="can not load translations from words"):
        read(name, content)


def test_a_file_that_is_too_large_is_refused() -> None:
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert size > 0
            return b" " * size

    for name in ("yaml", "json", "po"):
        with pytest.raises(InvalidLocaleData, match=f"larger than {LARGEST // 1024**2} MB"):
            list(FORMATS[name].read(Endless(), "words", "de"))  # type: ignore[arg-type]


def test_a_spreadsheet_may_separate_by_semicolons_and_name_no_locale() -> None:
    found = read("csv", '\ufeffKey;Text\r\na.b;"x;\ny"\r\n\r\nc;\r\n', "de")
    assert found == [Entry("de", "a.b", "x;\ny"), Entry("de", "c", None)]


def test_po_without_our_mark_is_gettext() -> None:
    found = read(
        "po", PO + '\nmsgid "menu|File"\nmsgstr "Datei"\n\n#, fuzzy\nmsgid "x"\nmsgstr "y"\n'
    )
    assert found == [Entry("de", "menu.File", "Datei")]


def test_po_with_other_plural_forms_finds_the_categories() -> None:
    header = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Language: ru\\n"\n"X-Bide-Keys: msgctxt\\n"\n'
        '"Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"\n'
    )
    message = '\nmsgctxt "count"\nmsgid "a"\nmsgid_plural "b"\nmsgstr[0] "o"\nmsgstr[1] "f"\nmsgstr[2] "m"\n'
    found = {entry.key: (entry.value, entry.source) for entry in read("po", header + message)}
    assert found == {
        "count.one": ("o", "a"), "count.few": ("f", "b"), "count.many": ("m", "b"), "count.other": ("m", "b"),
    }  # fmt: skip


def test_fuzzy_messages_are_not_translated() -> None:
    marked = PO + '"X-Bide-Keys: msgctxt\\n"\n\n#, fuzzy\nmsgctxt "a"\nmsgid "A"\nmsgstr "Ä"\n'
    assert read("po", marked) == [Entry("de", "a", None, "A")]


def test_xliff_two_is_read() -> None:
    found = read(
        "xliff",
        '<xliff xmlns="urn:oasis:names:tc:xliff:document:2.0" version="2.0" srcLang="en" trgLang="de"><file id="f">'
        '<unit id="1" name="a.b"><notes><note>N</note></notes><segment state="final"><source>A <pc id="1">b</pc></source>'
        '<target>Ä <pc id="1">b</pc></target></segment></unit>'
        '<unit id="c"><segment state="initial"><source>C</source><target>C</target></segment></unit></file></xliff>',
    )
    assert found == [Entry("de", "a.b", "Ä b", "A b", "N"), Entry("de", "c", None, "C")]


def test_suggestions_of_a_translation_memory_are_no_translations() -> None:
    unit = (
        '<trans-unit id="a"><source>A</source><target state="needs-translation">A</target>'
        "<alt-trans><target>Z</target></alt-trans></trans-unit>"
        '<trans-unit id="b"><source>B</source><target>Ä</target><alt-trans><source>Q</source><target>Z</target></alt-trans></trans-unit>'
    )
    assert read("xliff", XLIFF.format(unit)) == [
        Entry("de", "a", None, "A"),
        Entry("de", "b", "Ä", "B"),
    ]


def test_an_unknown_format_lists_the_known_ones() -> None:
    with pytest.raises(UnknownFileType, match="yaml, json, po, csv, xliff"):
        format_of("words.doc")
    with pytest.raises(UnknownFileType, match="'doc' is not known"):
        format_of("words.csv", "doc")


def test_po_holds_one_locale() -> None:
    entries = [Entry("de", "a", "x"), Entry("en", "a", "x")]
    with pytest.raises(InvalidTextArgument, match="one locale, not de, en"):
        FORMATS["po"].write(io.BytesIO(), entries, "en")
