"""Templates: Jinja2 with everything escaped."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import jinja2

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"


class Pages:
    """The templates of all pages."""

    def __init__(self) -> None:
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=200,
            auto_reload=False,
        )
        #: Changes with the files that browsers keep.
        self.version = _version()

    def render(self, template: str, context: dict[str, Any]) -> str:
        """The page as HTML."""
        return self._environment.get_template(template).render(context)


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
