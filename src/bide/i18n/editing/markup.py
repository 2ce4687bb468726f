"""HTML in texts: what may stand there at all, and what must agree with the source text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

from bide.i18n.editing.findings import ERROR, WARNING, Finding

#: Tags that a page cannot be sure of; never in a text, unless the developers' own text has them.
UNSAFE_TAGS: Final = frozenset(
    ["applet", "base", "embed", "form", "frame", "frameset", "iframe", "link", "math", "meta", "noscript", "object", "script", "style", "svg", "template", "textarea", "title"]
)  # fmt: skip
_ADDRESSES: Final = frozenset(["action", "formaction", "href", "poster", "src", "xlink:href"])
_SCHEMES: Final = ("http:", "https:", "mailto:", "tel:", "#", "/", "%{")
_EMPTY: Final = frozenset(["area", "br", "col", "hr", "img", "input", "source", "wbr"])


class Markup(HTMLParser):
    """The tags of a text: how often each, which are not closed, and which are dangerous."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: Counter[str] = Counter()
        self.unsafe: set[str] = set()
        self.open: list[str] = []
        self.unbalanced: set[str] = set()
        self.feed(text)
        self.close()
        self.unbalanced.update(f"<{tag}>" for tag in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count it, and look at its attributes."""
        self.tags[f"<{tag}>"] += 1
        if tag in UNSAFE_TAGS:
            self.unsafe.add(f"<{tag}>")
        self.unsafe.update(name for name, value in attrs if _unsafe(name, value or ""))
        if tag not in _EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """`<br/>`; HTML ignores the slash elsewhere, people mean it as closed."""
        self.handle_starttag(tag, attrs)
        if tag not in _EMPTY:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Close the last one of its name."""
        if self.open and self.open[-1] == tag:
            self.open.pop()
        elif tag not in _EMPTY:
            self.unbalanced.add(f"</{tag}>")


def _unsafe(name: str, value: str) -> bool:
    if name.startswith("on") or name in ("srcdoc", "style"):
        return True
    plain = "".join(value.split()).lower()
    scheme = ":" in plain.split("/")[0].split("?")[0].split("#")[0]
    return name in _ADDRESSES and scheme and not plain.startswith(_SCHEMES)


def is_html(key: str) -> bool:
    """Whether a text is taken for HTML as it is: `..._html` and `....html` (translations.md 1.13)."""
    last = key.rpartition(".")[2]
    return last.endswith("_html") or last == "html"


def markup_findings(source: str, text: str, form: str) -> Iterator[Finding]:
    """Dangerous tags and attributes are errors, other differences from the source warnings."""
    if "<" not in text and "<" not in source:
        return
    theirs, ours = Markup(source), Markup(text)
    if unsafe := ours.unsafe - theirs.unsafe:
        yield Finding("unsafe_markup", ERROR, tuple(sorted(unsafe)), form)
    for check, names in (
        ("unknown_markup", ours.tags - theirs.tags if source else ()),
        ("missing_markup", theirs.tags - ours.tags),
        ("unbalanced_markup", ours.unbalanced - theirs.unbalanced),
    ):
        if names:
            yield Finding(check, WARNING, tuple(sorted(names)), form)
