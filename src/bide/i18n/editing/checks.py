"""Checks of a translation against its source text: before saving, in lists, and by `bide texts check`.

>>> [str(finding.message) for finding in check("Hi %{name}", "Hallo %{nom}", locale="de")]
['the source text has no placeholder nom', 'the placeholder name of the source text is missing']
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bide.i18n.config import RESERVED_NAMES
from bide.i18n.editing.findings import ERROR, WARNING, Finding
from bide.i18n.editing.forms import EXACT, is_plural
from bide.i18n.editing.markup import markup_findings
from bide.i18n.editing.placeholders import Allowed, in_braces, letter, placeholder_findings, slots
from bide.i18n.keys import Key
from bide.i18n.plurals import plural_categories

#: Bytes of one text.
LONGEST: Final = 65_536

#: Forms for few numbers, which may spell the count out.
_SPELLED: Final = frozenset(("zero", "one", "two", *EXACT))
_BAD: Final = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufeff\ufffe\uffff"
_CONTROL: Final = re.compile(f"[{_BAD}]")
#: A placeholder that says nothing but a name, and none that is an option.
_PLAIN: Final = re.compile(rf"%\{{(?!(?:{'|'.join(sorted(RESERVED_NAMES))})\}})[A-Za-z0-9_]+\}}")
_NOTHING: Final = Allowed(None, frozenset(), frozenset())
_KINDS: Final = ((bool, "yes or no"), ((int, float), "a number"), (Key, "a link to another text"),
                 (str, "a text"), (Mapping, "a group of texts"), ((list, tuple), "a list"))  # fmt: skip


def check(
    source: Any,
    target: Any,
    *,
    locale: str,
    names: Iterable[str] | None = None,
    patterns: tuple[str, ...] = (),
) -> list[Finding]:
    """What is wrong with `target`, a text, plural forms or a list in `locale`, errors first.

    `source`: the same text in the source language, None where it has none (then placeholders can
    only be compared with `names`, those that the program gave). `patterns`: those of the I18n's own.
    A text that is missing (None) has no findings.
    """
    if target is None or (not patterns and _harmless(source, target, names)):
        return []
    found = [*_findings(source, target, locale, frozenset(names or ()), patterns)]
    return sorted(found, key=lambda finding: finding.severity)


def plain(text: Any) -> tuple[str, ...] | None:
    """The placeholders of a text that needs no look by any check beside one that has the same ones;
    None for every other value. What most texts are, found out in half a microsecond."""
    if type(text) is not str or "<" in text or len(text) >= LONGEST // 4 or text.strip() != text:
        return None
    if not text.isprintable() and _CONTROL.search(text):
        return None
    if "%" not in text:
        return ()
    found = tuple(_PLAIN.findall(text))
    return found if len(found) == text.count("%") else None


def _harmless(source: Any, target: Any, names: Iterable[str] | None) -> bool:
    found = plain(target)
    wanted = found if source is None and not names else plain(source)
    return found is not None and wanted is not None and set(found) == set(wanted)


def _findings(
    source: Any, target: Any, locale: str, names: frozenset[str], patterns: tuple[str, ...]
) -> Iterator[Finding]:
    if is_plural(source) or is_plural(target):
        yield from _plural(source, target, locale, names, patterns)
    elif source is not None and _kind(source) != _kind(target):
        yield Finding("other_kind", ERROR, (_kind(source),))
    elif isinstance(target, str):
        yield from _text(source, target, _allowed([source], [source], names, patterns), "")
    elif isinstance(target, (list, tuple)):
        yield from _list(source, target, names, patterns)


def _kind(value: Any) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "something else")


def _plural(
    source: Any, target: Any, locale: str, names: frozenset[str], patterns: tuple[str, ...]
) -> Iterator[Finding]:
    sources = source if isinstance(source, Mapping) else {"other": source}
    if not isinstance(target, Mapping):
        yield Finding("not_plural", WARNING)
        target = {"": target}
    else:
        yield from _forms(source, target, locale)
    every = [*sources.values()]
    for form, text in target.items():
        if isinstance(text, str):
            model = sources.get(form) or sources.get("other")
            allowed = _allowed(every, [model], names | {"count"}, patterns)
            if form in _SPELLED:
                allowed = allowed._replace(wanted=allowed.wanted - {"count"})
            yield from _text(model, text, allowed, str(form))


def _forms(source: Any, target: Mapping[str, Any], locale: str) -> Iterator[Finding]:
    if source is not None and not isinstance(source, Mapping):
        yield Finding("unwanted_plural", WARNING)
    known = plural_categories(locale)
    given = {form for form, text in target.items() if text is not None}
    if "other" not in given:
        yield Finding("missing_other", ERROR)
    if lacking := tuple(form for form in known if form not in given and form != "other"):
        yield Finding("missing_form", WARNING, lacking)
    # `zero` is used for 0 in every language (translations.md 1.5).
    if unknown := tuple(sorted(given - {*known, *EXACT, "zero"})):
        yield Finding("unknown_form", WARNING, unknown)


def _allowed(
    every: list[Any], model: list[Any], names: frozenset[str], patterns: tuple[str, ...]
) -> Allowed:
    if not any(isinstance(text, str) for text in every):
        return _NOTHING._replace(names=names or None, patterns=patterns)
    found = slots(every, patterns)
    return Allowed(
        frozenset(slot.name for slot in found) | names,
        frozenset((slot.name, letter(slot)) for slot in found),
        frozenset(slot.name for slot in slots(model, patterns)),
        patterns,
    )


def _list(
    source: Any, target: Any, names: frozenset[str], patterns: tuple[str, ...]
) -> Iterator[Finding]:
    models = source if isinstance(source, (list, tuple)) else [None] * len(target)
    if len(models) != len(target):
        yield Finding("list_length", WARNING, (str(len(models)),))
    for position, (model, text) in enumerate(zip(models, target, strict=False), start=1):
        if isinstance(text, str):
            allowed = _allowed([model], [model], names, patterns)
            yield from _text(model, text, allowed, str(position))


def _text(source: Any, text: str, allowed: Allowed, form: str) -> Iterator[Finding]:
    size = len(text.encode(errors="surrogatepass"))
    if size > LONGEST:
        yield Finding("too_long", ERROR, (str(LONGEST),), form)
        return
    if control := sorted({f"U+{ord(each):04X}" for each in _CONTROL.findall(text)}):
        yield Finding("control_character", ERROR, tuple(control), form)
    yield from placeholder_findings(text, allowed, form)
    model = source if isinstance(source, str) else ""
    yield from markup_findings(
        in_braces(model, allowed.patterns), in_braces(text, allowed.patterns), form
    )
    if model and text:
        yield from _outer_space(model, text, form)


def _outer_space(source: str, text: str, form: str) -> Iterator[Finding]:
    ends = (
        ("beginning", source[:1].isspace(), text[:1].isspace()),
        ("end", source[-1:].isspace(), text[-1:].isspace()),
    )
    for end, theirs, ours in ends:
        if theirs != ours:
            yield Finding("outer_space", WARNING, (end,), form)
