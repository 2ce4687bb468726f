"""The declared jobs and classes by name: the only things that a stored payload can reach."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from bide.errors import NotAJob, SettingsError, UnknownJob
from bide.jobs import hints

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """A declared function or class: `name` is what payloads store, `label` what people read.

    `options` is whatever the declaring code wants to find again when the job runs.
    """

    name: str
    label: str
    target: Callable[..., Any] | type
    options: Any = None


class Registry:
    """Names of declared jobs and classes, and the modules in which more of them are declared.

    `modules` are dotted names; when a payload names something unknown inside one of them, that module
    is imported and looked at once more. Nothing else is ever imported because of a payload.
    """

    def __init__(self, modules: Iterable[str] = ()) -> None:
        self.modules = list(modules)
        #: Declared functions by what payloads call them, as far as they are known by now.
        self.functions: dict[str, Declared] = {}
        self._classes: dict[str, Declared] = {}
        self._by_target: dict[int, Declared] = {}
        self._delayable: set[type] = set()
        self._called: set[Callable[..., Any]] = set()
        self._mentioned: dict[str, type] | None = None

    def register_function(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        aliases: Iterable[str] = (),
        options: Any = None,
    ) -> Declared:
        """Declare `function` a job. `name` replaces its import path in payloads and lists; `aliases`
        are earlier names under which stored payloads still find it.

        Raises SettingsError when another function has that name.
        """
        declared = _declared(function, name, options)
        self._enter(self.functions, declared, aliases)
        return declared

    def register_class(
        self,
        cls: type,
        *,
        name: str | None = None,
        aliases: Iterable[str] = (),
        options: Any = None,
    ) -> Declared:
        """Declare a class: its instances may be arguments, and jobs if they have perform().

        Classes that its annotations mention may be arguments too. Raises as register_function.
        """
        declared = _declared(cls, name, options)
        self._enter(self._classes, declared, aliases)
        return declared

    def register_delayable(
        self, cls: type, *, name: str | None = None, aliases: Iterable[str] = ()
    ) -> Declared:
        """Declare a class whose methods (and those of its subclasses, once they are declared in any
        way) may be delayed. Keeps an earlier declaration of the same class."""
        self._delayable.add(cls)
        return self.declared(cls) or self.register_class(cls, name=name, aliases=aliases)

    def is_delayable(self, cls: type) -> bool:
        """Whether methods of `cls` may be delayed (records may always, and are not asked here)."""
        return any(base in self._delayable for base in cls.__mro__)

    def declared(self, target: object) -> Declared | None:
        """The declaration of a function or class, or None."""
        found = self._by_target.get(id(target))
        return found if found is not None and found.target is target else None

    def function(self, name: str) -> Declared:
        """The declared function that payloads call `name`. Raises UnknownJob."""
        return self.functions.get(name) or self._find(name, self.functions.get)

    def job_class(self, name: str) -> Declared:
        """The declared class that payloads call `name`. Raises UnknownJob."""
        return self._find(name, self._classes.get)

    def known(self, name: str) -> Callable[..., Any] | type | None:
        """What is declared by that name in this process by now; nothing is imported for it."""
        declared = self.functions.get(name) or self._classes.get(name)
        return None if declared is None else declared.target

    def has_coroutines(self) -> bool:
        """Whether one of the jobs declared by now is an `async def`."""
        methods = (getattr(one.target, "perform", None) for one in self._classes.values())
        functions = (one.target for one in self.functions.values())
        return any(map(inspect.iscoroutinefunction, (*functions, *methods)))

    def class_named(self, name: str) -> type:
        """A declared class, or one that the annotations of declared things mention.

        Raises UnknownJob.
        """
        return self._find(name, self._known_class)

    def mention(self, function: Callable[..., Any]) -> None:
        """Let the classes travel that the annotations of a delayed method mention."""
        function = getattr(function, "__func__", function)
        if function not in self._called:
            self._called.add(function)
            self._mentioned = None

    def name_of(self, cls: type) -> str | None:
        """What payloads call a declared or mentioned class; None when it is neither."""
        declared = self.declared(cls)
        if declared is not None:
            return declared.name
        name = import_path(cls)
        return name if self._mentions().get(name) is cls else None

    def _enter(
        self, table: dict[str, Declared], declared: Declared, aliases: Iterable[str]
    ) -> None:
        for name in (declared.name, *aliases):
            other = table.get(name)
            if other is not None and import_path(other.target) != import_path(declared.target):
                raise SettingsError(
                    f"two jobs are named {name!r}: {import_path(other.target)} and "
                    f"{import_path(declared.target)}; give one of them another name="
                )
            table[name] = declared
        self._by_target[id(declared.target)] = declared
        self._mentioned = None

    def _find(self, name: str, look: Callable[[str], Found | None]) -> Found:
        found = look(name)
        if found is None and self._import_modules_of(name):
            found = look(name)
        if found is None:
            raise UnknownJob(
                f"{name!r} is not declared in this process; deploy the code that declares it, or "
                f"import its module where the application is built"
            )
        return found

    def _import_modules_of(self, name: str) -> bool:
        """Import the listed modules that could declare `name`; whether any was new."""
        missing = [m for m in self.modules if name.startswith(f"{m}.") and m not in sys.modules]
        for module in missing:
            try:
                importlib.import_module(module)
            except (Exception, SystemExit) as error:
                raise UnknownJob(
                    f"{name!r} cannot be found: importing {module} raised {error!r}"
                ) from error
        return bool(missing)

    def _known_class(self, name: str) -> type | None:
        declared = self._classes.get(name)
        if declared is not None and isinstance(declared.target, type):
            return declared.target
        return self._mentions().get(name)

    def _mentions(self) -> dict[str, type]:
        if self._mentioned is None:
            declared = {*self.functions.values(), *self._classes.values()}
            targets = [*(d.target for d in declared), *self._called]
            self._mentioned = {import_path(cls): cls for cls in hints.mentioned(targets)}
        return self._mentioned


def import_path(target: Any) -> str:
    """`package.module.Qual.name` of a function or class; `python -m` programs by their real name."""
    module = target.__module__
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    if module == "__main__" and spec is not None:
        module = spec.name
    return f"{module}.{target.__qualname__}"


def _declared(target: Any, name: str | None, options: Any) -> Declared:
    if name is None and not hasattr(target, "__qualname__"):
        raise NotAJob(f"{target!r} has no name by which a worker could find it; give it name=")
    if name is None and "<lambda>" in target.__qualname__:
        raise NotAJob("a lambda has no name by which a worker could find it; write it with def")
    return Declared(name or import_path(target), name or target.__qualname__, target, options)
