"""Arguments of jobs as they are shown: types from their tags, secrets hidden, and no code of a payload loaded."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from bide.jobs.registry import Registry
from bide.jobs.writing import TAG
from bide.web.redaction import HIDDEN, Redaction

#: What is shown of very large values.
_MOST_ITEMS: Final = 200
_LONGEST: Final = 4000
_DEEPEST: Final = 30

Items = list[tuple[str, "Value"]]


class Value(NamedTuple):
    """A value: `kind` is text, numeric, word, hidden, plain or many; `type` what its tag says; `items`
    its parts, each with its name."""

    kind: str
    text: str = ""
    type: str = ""
    items: Sequence[tuple[str, Value]] = ()


class Call(NamedTuple):
    """A payload: what is called, and with what."""

    target: Value | None
    arguments: Sequence[tuple[str, Value]]


class Shown:
    """Makes values of stored JSON. `hidden`, `text` and `beginning` are those of bide.web.redaction."""

    def __init__(self, registry: Registry, redact: Sequence[str]) -> None:
        self._registry = registry
        self._redaction = Redaction(redact)
        self.hidden = self._redaction.hides
        self.text = self._redaction.text
        self.beginning = self._redaction.beginning

    def call(self, payload: str) -> Call | None:
        """What a payload calls; None when it is no payload of ours."""
        try:
            envelope = json.loads(payload)
        except (ValueError, RecursionError):
            return None
        if not isinstance(envelope, dict):
            return None
        target = self._value("", envelope["of"], 1) if "of" in envelope else None
        if isinstance(envelope.get("state"), dict):
            return Call(target, self._fields(envelope["state"], 1))
        names = self._parameters(envelope)
        args, kwargs = envelope.get("args") or [], envelope.get("kwargs") or {}
        if not isinstance(args, list) or not isinstance(kwargs, dict):
            return None
        known = [names[n] if n < len(names) else str(n) for n in range(len(args))]
        placed = [(name, self._value(name, v, 1)) for name, v in zip(known, args, strict=True)]
        return Call(target, [*placed, *self._fields(kwargs, 1)])

    def searchable(self, payload: str) -> str:
        """The payload without what is hidden, so that no search finds out what it is."""
        try:
            return json.dumps(
                self._stripped("", json.loads(payload), self._secrets(payload)), ensure_ascii=False
            )
        except (ValueError, RecursionError):
            return ""

    def editable(self, payload: str) -> str:
        """What of a payload can be edited, as JSON, with hidden values as dots."""
        envelope = json.loads(payload)
        parts = {name: envelope[name] for name in _EDITABLE if name in envelope}
        return json.dumps(
            self._stripped("", parts, self._secrets(payload)), indent=2, ensure_ascii=False
        )

    def edited(self, payload: str, text: str) -> str:
        """The payload with edited parts; dots stay what they stand for. Raises ValueError."""
        envelope, secrets = json.loads(payload), self._secrets(payload)
        parts = json.loads(text)
        if not isinstance(parts, dict) or set(parts) != {n for n in _EDITABLE if n in envelope}:
            raise ValueError(f"it must be an object with {', '.join(_EDITABLE)} as before")
        for name, part in parts.items():
            if type(part) is not type(envelope[name]):
                raise ValueError(f"{name} must stay {'a list' if name == 'args' else 'an object'}")
            shown = self._stripped(name, envelope[name], secrets)
            envelope[name] = _restored(part, envelope[name], shown)
        return json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))

    def _secrets(self, payload: str) -> set[int]:
        """Which arguments without a name are hidden, by their place."""
        envelope = json.loads(payload)
        names = self._parameters(envelope) if isinstance(envelope, dict) else []
        return {place for place, name in enumerate(names) if self.hidden(name)}

    def _stripped(self, name: str, tree: Any, secrets: set[int]) -> Any:
        if self.hidden(name) and tree is not None:
            return HIDDEN
        if isinstance(tree, dict):
            if tree.get(TAG) == "dict":
                pairs = [self._pair(pair) for pair in _listed(tree.get("value"))]
                return {**tree, "value": pairs}
            return {key: self._stripped(key, part, secrets) for key, part in tree.items()}
        if isinstance(tree, list):
            hide = secrets if name == "args" else set()
            return [
                HIDDEN if place in hide else self._stripped("", part, set())
                for place, part in enumerate(tree)
            ]
        return tree

    def _pair(self, pair: Any) -> Any:
        """Key and value of a dict whose keys are not all text."""
        if not isinstance(pair, list) or len(pair) != 2:
            return self._stripped("", pair, set())
        key = self._stripped("", pair[0], set())
        return [key, self._stripped(self._value("", key, 1).text, pair[1], set())]

    def _parameters(self, envelope: dict[str, Any]) -> list[str]:
        """The names of positional parameters, where this process knows the function already."""
        target = self._registry.known(str(envelope.get("job", "")))
        if "method" in envelope:
            of = envelope.get("of")
            cls = self._registry.known(str(of.get("class", ""))) if isinstance(of, dict) else None
            target = getattr(cls, str(envelope["method"]), None)
        return _parameters_of(target, bound="method" in envelope)

    def _fields(self, fields: dict[str, Any], depth: int) -> Items:
        shown = [
            (name, self._value(name, part, depth)) for name, part in [*fields.items()][:_MOST_ITEMS]
        ]
        return shown + _rest(len(fields))

    def _value(self, name: str, tree: Any, depth: int) -> Value:
        if self.hidden(name) and tree is not None:
            return Value("hidden", HIDDEN)
        if depth > _DEEPEST:
            return Value("plain", "…")
        if isinstance(tree, str):
            return Value("text", tree if len(tree) <= _LONGEST else f"{tree[:_LONGEST]}…")
        if tree is None or isinstance(tree, bool):
            return Value("word", str(tree))
        if isinstance(tree, int | float):
            return Value("numeric", str(tree))
        if isinstance(tree, list):
            return self._many("list", tree, depth)
        if TAG in tree:
            return self._tagged(tree, depth)
        return Value("many", type="dict", items=self._fields(tree, depth + 1))

    def _many(self, kind: str, parts: list[Any], depth: int) -> Value:
        shown = [("", self._value("", part, depth + 1)) for part in parts[:_MOST_ITEMS]]
        return Value("many", type=kind, items=shown + _rest(len(parts)))

    def _tagged(self, tree: dict[str, Any], depth: int) -> Value:
        tag, value = str(tree[TAG]), tree.get("value")
        name = str(tree.get("class", "")).rpartition(".")[2]
        if tag == "record":
            keys = ", ".join(
                str(self._value("", key, depth + 1).text) for key in _listed(tree.get("key"))
            )
            return Value("plain", f"#{keys}", name)
        if tag == "object" and isinstance(tree.get("state"), dict):
            return Value("many", type=name, items=self._fields(tree["state"], depth + 1))
        if tag == "enum":
            return Value("plain", str(tree.get("member")), name)
        if tag == "class":
            return Value("plain", name, "class")
        if tag == "dict":
            return Value("many", type="dict", items=self._pairs(_listed(value), depth))
        if tag in ("tuple", "set", "frozenset") and isinstance(value, list):
            return self._many(tag, value, depth)
        return Value("plain", _flat(tag, value), name or tag)

    def _pairs(self, pairs: list[Any], depth: int) -> Items:
        found: Items = []
        for pair in pairs[:_MOST_ITEMS]:
            key, part = pair if isinstance(pair, list) and len(pair) == 2 else (None, pair)
            name = self._value("", key, depth + 1).text
            found.append((name, self._value(name, part, depth + 1)))
        return found + _rest(len(pairs))


#: Parts of an envelope that operators may edit.
_EDITABLE: Final = ("args", "kwargs", "state")


def _rest(number: int) -> Items:
    return [("", Value("plain", f"… {number - _MOST_ITEMS}"))] if number > _MOST_ITEMS else []


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _flat(tag: str, value: Any) -> str:
    if tag == "timedelta" and isinstance(value, list) and len(value) == 3:
        days, seconds, micros = value
        return f"{days} d {seconds} s" + (f" {micros} us" if micros else "")
    if tag == "datetime" and isinstance(value, list):
        return " ".join(str(part) for part in value[:2] if part)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _restored(new: Any, old: Any, shown: Any) -> Any:
    """`new` with every dot-ted value as it was at the same place, where it was `shown` as dots. Raises
    ValueError for dots elsewhere: what is hidden must not come to stand under a name that is not."""
    if new == HIDDEN:
        if shown != HIDDEN:
            raise ValueError(f"{HIDDEN} stands where nothing was hidden")
        return old
    if isinstance(new, dict):
        known = isinstance(shown, dict) and shown.get(TAG) == new.get(TAG)
        before, told = (old, shown) if known else ({}, {})
        if known and new.get(TAG) == "dict":
            _check_names(_listed(new.get("value")), _listed(shown.get("value")))
        return {key: _restored(part, before.get(key), told.get(key)) for key, part in new.items()}
    if isinstance(new, list):
        parts, told = (old, shown) if isinstance(shown, list) else ([], [])
        return [
            _restored(part, *((parts[n], told[n]) if n < len(told) else (None, None)))
            for n, part in enumerate(new)
        ]
    return new


def _check_names(new: list[Any], shown: list[Any]) -> None:
    """Hidden values of a dict whose keys are not all text stay under their keys."""
    for pair, told in zip(new, shown, strict=False):
        moved = isinstance(told, list) and told[-1:] == [HIDDEN] and pair != told
        if moved and isinstance(pair, list) and pair[-1:] == [HIDDEN]:
            raise ValueError(f"{HIDDEN} would stand under another name")


def _parameters_of(target: Callable[..., Any] | None, *, bound: bool) -> list[str]:
    if not callable(target):
        return []
    try:
        parameters = [*inspect.signature(target).parameters.values()]
    except (TypeError, ValueError):
        return []
    names = [
        one.name
        for one in parameters
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return names[1:] if bound and names[:1] in (["self"], ["cls"]) else names
