"""What a callable takes: calls are checked when they are stored, and again when they run."""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from inspect import Parameter
from typing import Any, cast

from bide.errors import UnsupportedArgument
from bide.jobs import hints

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
#: What is a method though it cannot be called by itself.
_METHODS = (classmethod, functools.partialmethod, functools.singledispatchmethod)
#: What JSON has and no annotation or tag makes into something else, unless it says so.
_PLAIN = frozenset({str, int, float, bool, type(None)})
_NAMED = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


class Signature:
    """The parameters of one callable and what their annotations ask for.

    `bound` says that the first parameter (self or cls) is given already.
    """

    def __init__(self, function: Callable[..., Any], *, bound: bool = False) -> None:
        self.name = getattr(function, "__qualname__", repr(function))
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())[1 if bound else 0 :]
        self._signature = signature.replace(parameters=parameters)
        converters = _converters(function, parameters)
        self._positional = [converters[p.name] for p in parameters if p.kind in _POSITIONAL]
        self._named = {p.name: converters[p.name] for p in parameters if p.kind in _NAMED}
        self._rest = _of_kind(parameters, converters, Parameter.VAR_POSITIONAL)
        self._others = _of_kind(parameters, converters, Parameter.VAR_KEYWORD)
        self._plain = not any(converters.values())
        self._easy = _positional_counts(parameters)
        self._exact = _exact_types(converters[p.name] for p in parameters if p.kind in _POSITIONAL)
        asks_for_all = _PLAIN.issuperset(self._exact) and len(self._exact) in self._easy
        #: The types of all, where each parameter asks for one: such arguments are taken exactly.
        self.types = self._exact if asks_for_all else None

    def takes_exactly(self, args: Sequence[Any]) -> bool:
        """Whether these, as JSON gave them, can be passed as they are: so many, and each a plain value
        of the type that is asked for."""
        if len(args) not in self._easy:
            return False
        if [*map(type, args)] == self.types:
            return True
        for value, wanted in zip(args, self._exact, strict=False):
            if type(value) is not wanted and (wanted is not None or type(value) not in _PLAIN):
                return False
        return True

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Raise TypeError when a call with these arguments would."""
        if not kwargs and len(args) in self._easy:
            return
        try:
            self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}{self._signature} cannot be called: {error}") from None

    def fit(
        self, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as the annotations want them.

        Raises UnsupportedArgument for one that cannot be made to fit; its `path` names it.
        """
        if self._plain:
            return list(args), dict(kwargs)
        count = len(self._positional)
        fitted = [
            _fit(f"args[{index}]", self._positional[index] if index < count else self._rest, value)
            for index, value in enumerate(args)
        ]
        return fitted, {
            name: _fit(name, self._named.get(name, self._others), value)
            for name, value in kwargs.items()
        }


def _fit(place: str, convert: hints.Convert | None, value: Any) -> Any:
    if convert is None:
        return value
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        refused = UnsupportedArgument(f"{error}; pass what its annotation says")
        refused.path = place
        raise refused from error


def _converters(
    function: Callable[..., Any], parameters: list[Parameter]
) -> dict[str, hints.Convert | None]:
    annotations = hints.of(inspect.unwrap(function))
    return {
        p.name: hints.converter(hints.or_none(annotations[p.name], p.default))
        if p.name in annotations
        else None
        for p in parameters
    }


def _exact_types(converters: Iterable[hints.Convert | None]) -> list[type | None]:
    """For each parameter the plain type that needs no conversion; None where any value will do, and
    `object`, which is no value's own type, where it must be looked at."""
    found: list[type | None] = []
    for convert in converters:
        exact = hints.plain_type(convert)
        found.append(None if convert is None else exact if exact in _PLAIN else object)
    return found


def _of_kind(
    parameters: list[Parameter], converters: dict[str, hints.Convert | None], kind: Any
) -> hints.Convert | None:
    return next((converters[p.name] for p in parameters if p.kind is kind), None)


def _positional_counts(parameters: list[Parameter]) -> range:
    """How many arguments a call without keywords may have, as far as that needs no closer look."""
    if any(p.kind is Parameter.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        return range(0)
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    required = sum(p.default is p.empty for p in positional)
    return range(required, len(positional) + 1)


_known: weakref.WeakKeyDictionary[Any, Signature] = weakref.WeakKeyDictionary()


def of_function(function: Callable[..., Any]) -> Signature:
    """The signature of a plain function, made once."""
    found = _known.get(function)
    if found is None:
        found = _known[function] = Signature(function)
    return found


def method_of(cls: type, name: str) -> Any:
    """What a class or its bases hold under the name of a method, as it stands in the class body.

    A wrapper that puts calls into the queue keeps the method itself in `__bide_original__`, which
    is what is returned then. Raises AttributeError when there is no such method; those that Python
    itself calls (`__init__`) and those of every object do not count.
    """
    if not name.startswith("__"):
        for base in cls.__mro__[:-1]:
            if name in vars(base):
                held = vars(base)[name]
                return getattr(held, "__bide_original__", held)
    raise AttributeError(f"{cls.__qualname__} has no method {name!r} that could be delayed")


def bind_method(target: Any, name: str) -> Callable[..., Any]:
    """The method, ready to be called, of an instance, or of a class if `target` is one.

    Raises AttributeError as method_of, TypeError for what cannot be called on `target`.
    """
    on_class = isinstance(target, type)
    cls = target if on_class else type(target)
    held = method_of(cls, name)
    if on_class and inspect.isfunction(held):
        raise TypeError(f"{cls.__qualname__}.{name} needs an instance, not the class itself")
    if isinstance(held, type) or not (callable(held) or isinstance(held, _METHODS)):
        raise TypeError(f"{cls.__qualname__}.{name} is not a method")
    bound = held.__get__(None if on_class else target, cls) if hasattr(held, "__get__") else held
    return cast("Callable[..., Any]", bound)


@functools.lru_cache(maxsize=4096)
def of_method(cls: type, name: str) -> Signature:
    """The signature of a method as it is called on an instance or class. Raises AttributeError."""
    held = method_of(cls, name)
    if isinstance(held, staticmethod):
        return Signature(held.__func__)
    if isinstance(held, classmethod):
        return Signature(held.__func__, bound=True)
    return Signature(held, bound=inspect.isfunction(held))
