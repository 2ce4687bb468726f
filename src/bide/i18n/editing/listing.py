"""All texts of one language with their states, cut into the parts that change together."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from bide.i18n.editing.entries import shown

MISSING: Final = 1
CHANGED: Final = 2
REVIEW: Final = 4
FAILING: Final = 8
OK: Final = 16
#: Missing itself, and readers get the text of a language that it belongs to: `de` for `de-AT`.
INHERITED: Final = 32

#: State -> its bit; a text may have several, `ok` stands alone.
STATES: Final = {
    "missing": MISSING, "changed": CHANGED, "review": REVIEW, "failing": FAILING, "ok": OK,
    "inherited": INHERITED,
}  # fmt: skip


class Line(NamedTuple):
    """A text in a list: key, source text, text, and the names of its states."""

    key: str
    source: Any
    target: Any
    states: tuple[str, ...]


class Section:
    """The texts below one first part of keys, in order."""

    def __init__(
        self, keys: Sequence[str], source: Mapping[str, Any], target: Mapping[str, Any], bits: Sequence[int]
    ) -> None:  # fmt: skip
        self.keys = keys
        self.source = source
        self.target = target
        self.bits = bits
        self.counts = Counter(bits)
        self._found: tuple[str, ...] | None = None

    def line(self, index: int) -> Line:
        """One of the texts."""
        key, bits = self.keys[index], self.bits[index]
        states = tuple(name for name, bit in STATES.items() if bits & bit)
        return Line(key, self.source.get(key), self.target.get(key), states)

    def haystacks(self) -> tuple[str, ...]:
        """What searches look in, text by text."""
        if self._found is None:
            self._found = tuple(
                f"{key}\n{_told(self.source.get(key))}\n{_told(self.target.get(key))}".casefold()
                for key in self.keys
            )
        return self._found


def _told(value: Any) -> str:
    if value is None:
        return ""
    return value if type(value) is str else shown(value)


class Search(NamedTuple):
    """What to list: texts in a state (empty: all) that hold every word, in key, source or text."""

    state: str = ""
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: str = "", words: str = "") -> Search:
        """For what people type; unknown states count as none."""
        return cls(state if state in STATES else "", tuple(words.casefold().split()))

    def matches(self, section: Section) -> Iterator[int]:
        """The places of the texts in a section that are wanted."""
        return self.among(section, range(len(section.keys)))

    def among(self, section: Section, places: Iterable[int]) -> Iterator[int]:
        """Those of `places` that are wanted."""
        bit = STATES.get(self.state, 0)
        if bit:
            places = (place for place in places if section.bits[place] & bit)
        hay = section.haystacks() if self.words else ()
        for word in sorted(self.words, key=len, reverse=True):
            places = [place for place in places if word in hay[place]]
        return iter(places)


class Page(NamedTuple):
    """Some lines; `before` and `after` are the keys to go on from, None where nothing more is."""

    lines: list[Line]
    before: str | None
    after: str | None


class Listing:
    """The sections of a language in the order of their names."""

    def __init__(self, sections: Mapping[str, Section]) -> None:
        self.sections = sections
        self._heads = sorted(sections)

    def value(self, key: str) -> Any:
        """The text of a key, or None."""
        section = self.sections.get(key.partition(".")[0])
        return section.target.get(key) if section else None

    def states_of(self, key: str) -> tuple[str, ...]:
        """The states of a text; one that nobody knows is missing."""
        section = self.sections.get(key.partition(".")[0])
        place = bisect_left(section.keys, key) if section else 0
        if section is None or place >= len(section.keys) or section.keys[place] != key:
            return ("missing",)
        return section.line(place).states

    def counts(self, words: str = "") -> dict[str, int]:
        """How many texts are in each state; `all`: how many there are. Only those with `words`."""
        search, bits = Search.of(words=words), Counter[int]()
        for section in self.sections.values():
            if search.words:
                bits.update(section.bits[place] for place in search.matches(section))
            else:
                bits.update(section.counts)
        found = {
            name: sum(number for each, number in bits.items() if each & bit)
            for name, bit in STATES.items()
        }
        return {"all": bits.total(), **found}

    def page(
        self, search: Search, *, after: str | None = None, before: str | None = None, size: int = 50
    ) -> Page:
        """Up to `size` lines behind a key, or the last ones before it."""
        backwards = before is not None
        found = [*self._some(search, before if backwards else after, backwards, size + 1)]
        more, lines = len(found) > size, found[:size]
        if backwards:
            lines.reverse()
        first, last = (lines[0].key, lines[-1].key) if lines else (None, None)
        if backwards:
            return Page(lines, first if more else None, last)
        # Whatever stands at the beginning of the page, something may be before it.
        return Page(lines, first if after else None, last if more else None)

    def next(self, search: Search, key: str) -> str | None:
        """The key of the next text after `key`, else of the first one of all that is not `key`."""
        for start in (key, None):
            for line in self._some(search, start, False, 2):
                if line.key != key:
                    return line.key
        return None

    def previous(self, search: Search, key: str) -> str | None:
        """The key of the text before `key`."""
        return next((line.key for line in self._some(search, key, True, 1)), None)

    def _some(self, search: Search, key: str | None, backwards: bool, most: int) -> Iterator[Line]:
        for section, places in self._from(key, backwards):
            for place in search.among(section, places):
                yield section.line(place)
                most -= 1
                if not most:
                    return

    def _from(self, key: str | None, backwards: bool) -> Iterator[tuple[Section, range]]:
        """The places after a key, or before it in the reverse order."""
        first = key.partition(".")[0] if key else ""
        at = bisect_left(self._heads, first)
        here = at < len(self._heads) and self._heads[at] == first
        heads = self._heads[: at + here][::-1] if backwards else self._heads[at:]
        for head in heads:
            section = self.sections[head]
            cut = bisect_left(section.keys, key) if key and head == first else None
            size = len(section.keys)
            if backwards:
                yield section, range((size if cut is None else cut) - 1, -1, -1)
            elif cut is None:
                yield section, range(size)
            else:
                yield section, range(cut + (cut < size and section.keys[cut] == key), size)
