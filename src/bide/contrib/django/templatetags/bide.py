"""`{% t "users.count" count=3 %}` and `{% l moment format="short" %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

from bide import i18n
from bide.i18n import Key
from bide.i18n.html import is_html, translated

register = template.Library()


@register.simple_tag(takes_context=True)
def t(context: Any, key: Any, **options: Any) -> Any:
    """A text; values that are filled in are escaped. A key that ends in `_html` or `.html` is HTML itself.

    So is a default that stands in the template; one from a variable is escaped.
    """
    if not context.autoescape:
        return i18n.t(key, **options)
    if is_html(key) and "default" in options:
        options["default"] = _escaped(options["default"])
    return translated(i18n.default(), key, options, conditional_escape, mark_safe)  # noqa: S308 - escaped


@register.simple_tag(name="l")
def localized(value: Any, **options: Any) -> Any:
    """A moment, date or time in the reader's language."""
    return i18n.l(value, **options)


def _escaped(default: Any) -> Any:
    """Literals of templates are safe strings; a Key is looked up."""
    if isinstance(default, (list, tuple)):
        return [_escaped(one) for one in default]
    if isinstance(default, str) and not isinstance(default, Key):
        return conditional_escape(default)
    return default
