"""Several backends in a row: the first that has a text gives it, namespaces are joined."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from bide import events
from bide.errors import (
    InvalidPluralizationData,
    InvalidTextArgument,
    MissingInterpolationArgument,
    MissingTranslation,
    ReservedInterpolationKey,
)
from bide.i18n.backends.base import Backend, Engine, Options
from bide.i18n.backends.wrapper import Wrapper
from bide.i18n.trees import filled

_NOTHING: Any = object()


class Chain(Backend):
    """`Chain(first, second, …)`: what the first has wins; texts are stored in the first.

    A namespace is the members' joined; a plural entry that lacks the needed form, and a text
    edited by people whose placeholders cannot be filled, fall through to the next member.
    """

    def __init__(self, *members: Backend) -> None:
        if not members:
            raise InvalidTextArgument("a Chain needs at least one backend, e.g. Chain(Simple())")
        self.members: tuple[Backend, ...] = members

    def view(
        self, engine: Engine, top: Backend | None = None, spread: tuple[Backend, ...] = ()
    ) -> Self:
        """A bound copy over views of the members, each wrapped in the abilities that spread."""
        seen = super().view(engine, top)
        seen.members = tuple(_wrapped(member, spread).view(engine) for member in self.members)
        return seen

    @property
    def subtrees(self) -> bool:  # type: ignore[override]
        """Whether every member has namespaces."""
        return all(member.subtrees for member in self.members)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Hear of changes in every member."""
        for member in self.members:
            member.on_change(listener)

    def changed(self) -> None:
        """Tell whoever uses the members."""
        for member in self.members:
            member.changed()

    def translate(self, locale: str, key: Any, options: Options) -> Any:
        """The first member's answer; only the last one is given the default."""
        rest = {name: value for name, value in options.items() if name != "default"}
        collected: Any = None
        incomplete: InvalidPluralizationData | None = None
        for member in self.members:
            last = member is self.members[-1]
            try:
                found = self._asked(member, last, locale, key, options if last else rest)
            except InvalidPluralizationData as error:
                incomplete = incomplete or error
                continue
            if isinstance(found, Mapping) and options.get("count") is None:
                collected = found if collected is None else filled(collected, found)
            elif found is not _NOTHING and collected is None and (found is not None or last):
                return found
        if collected is None:
            if incomplete is not None:
                raise incomplete
            self.top.missing(locale, key, options)
        return collected

    def _asked(
        self, member: Backend, last: bool, locale: str, key: Any, options: Options
    ) -> Any:  # fmt: skip
        try:
            return member.translate(locale, key, options)
        except MissingTranslation:
            return _NOTHING
        except (MissingInterpolationArgument, ReservedInterpolationKey) as error:
            if last or not member.edited_live:
                raise
            events.emit("text_refused", locale=locale, key=str(key), error=str(error))
            return _NOTHING

    def lookup(self, locale: str, key: Any, scope: Any, options: Options) -> Any:
        """The first value found; namespaces are joined."""
        collected: Any = None
        for member in self.members:
            found = member.lookup(locale, key, scope, options)
            if isinstance(found, Mapping):
                collected = found if collected is None else filled(collected, found)
            elif found is not None and collected is None:
                return found
        return collected

    def static(self, locale: str, key: Any) -> Any:
        """The first member's, as long as all before it are sure to have none."""
        for member in self.members:
            found = member.static(locale, key)
            if found is not None:
                return found
        return None

    def exists(self, locale: str, key: Any, options: Options) -> bool:
        """Whether any member has the key."""
        return any(member.exists(locale, key, options) for member in self.members)

    def available_locales(self) -> tuple[str, ...]:
        """The locales of all members, in order."""
        return tuple(
            dict.fromkeys(
                locale for member in self.members for locale in member.available_locales()
            )
        )

    def find_locales(self) -> None:
        """Every member's."""
        for member in self.members:
            member.find_locales()

    def store(self, locale: str, data: Mapping[Any, Any], **options: Any) -> None:
        """Add texts to the first member."""
        self.members[0].store(locale, data, **options)

    def load(self, *files: Any) -> None:
        """Load files into the first member."""
        self.members[0].load(*files)

    def translations(self) -> dict[str, Any]:
        """All members' texts; earlier members win, None hides nothing."""
        texts: dict[str, Any] = {}
        for member in self.members:
            texts = filled(texts, member.translations())
        return texts

    def initialized(self, locale: str | None = None) -> bool:
        """Whether every member is."""
        return all(member.initialized(locale) for member in self.members)

    def reload(self) -> None:
        """Reload every member."""
        for member in self.members:
            member.reload()

    def eager_load(self) -> None:
        """Load every member."""
        for member in self.members:
            member.eager_load()

    def files_changed(self) -> bool:
        """Whether a file of any member is different."""
        return any(member.files_changed() for member in self.members)


def _wrapped(member: Backend, spread: tuple[Backend, ...]) -> Backend:
    for ability in reversed(spread):
        assert isinstance(ability, Wrapper)
        member = ability.around(member)
    return member
