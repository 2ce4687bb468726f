"""`{% t "users.count" count=3 %}` and `{% l moment format="short" %}`."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

from bide import i18n

register = template.Library()


@register.simple_tag(takes_context=True)
def t(context: Any, key: str, **options: Any) -> Any:
    """A text; values that are filled in are escaped. A key that ends in `_html` is HTML itself."""
    if not context.autoescape:
        return i18n.t(key, **options)
    if not key.endswith("_html"):
        return i18n.t(key, **options)
    escaped = {
        name: value if name in ("count", "locale", "scope") else conditional_escape(value)
        for name, value in options.items()
    }
    return mark_safe(i18n.t(key, **escaped))  # noqa: S308 - its values are escaped


@register.simple_tag(name="l")
def localized(value: Any, **options: Any) -> Any:
    """A moment, date or time in the reader's language."""
    return i18n.l(value, **options)
