"""Reference lists made from the code itself: ```{from-code} errors``` in a page."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

from bide import errors


def list_of_errors() -> Iterator[str]:
    """Every error class: what it is, what it means."""
    for name, value in vars(errors).items():
        if inspect.isclass(value) and issubclass(value, BaseException):
            parents = " and ".join(f"`{parent.__name__}`" for parent in value.__bases__)
            yield f"`{name}`"
            yield f": {' '.join(inspect.getdoc(value).split())}\n  (below {parents})\n"


LISTS = {"errors": list_of_errors}


class FromCode(Directive):
    """The directive: its argument names one of LISTS."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        lines = "\n".join(LISTS[self.arguments[0]]()).split("\n")
        node = nodes.Element()
        self.state.nested_parse(StringList(lines, source="from-code"), 0, node)
        return node.children
