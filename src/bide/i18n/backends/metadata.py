"""Results that know where they come from: locale, key, values, the text before it was filled."""

from __future__ import annotations

from typing import Any

from bide.i18n.backends.base import Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.trees import handed_out


class MetadataText(str):
    """A text with `metadata`."""

    __slots__ = ("metadata",)

    metadata: dict[str, Any]


class MetadataList(list[Any]):
    """A list of texts with `metadata`."""

    metadata: dict[str, Any]


class MetadataDict(dict[Any, Any]):
    """A namespace with `metadata`."""

    metadata: dict[str, Any]


class Metadata(Wrapper):
    """Texts, lists and namespaces come back with a dict `metadata`; numbers and booleans, which
    cannot carry one, come back as they are."""

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """The result, with metadata."""
        original = self.inner.translate(locale, key, {**options, "skip_interpolation": True})
        inside_link = options.get("skip_interpolation")
        result = original if inside_link else self.top.fill(locale, original, options)
        return _carrying(
            handed_out(result),
            {
                "locale": locale,
                "key": key,
                "scope": options.get("scope"),
                "default": options.get("default"),
                "separator": options.get("separator"),
                "values": self._values(options),
                "original": handed_out(original),
                "count": options.get("count"),
            },
        )

    def _values(self, options: Options) -> dict[str, Any]:
        reserved = self.engine.config.reserved_names
        return {name: value for name, value in options.items() if name not in reserved}


def _carrying(result: Any, metadata: dict[str, Any]) -> Any:
    carrier: Any
    if type(result) is str:
        carrier = MetadataText(result)
    elif type(result) is list:
        carrier = MetadataList(result)
    elif type(result) is dict:
        carrier = MetadataDict(result)
    else:
        return result
    carrier.metadata = metadata
    return carrier
