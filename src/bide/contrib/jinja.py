"""Texts in Jinja2 templates: functions, filters and tags, escaped as the page is.

environment = Environment(autoescape=True, extensions=[Texts])      # speaks with bide.i18n's default
install(environment, i18n)                                          # or with an I18n of its own

{{ t("users.count", count=3) }}   {{ "title"|t }}   {% t "hello" name=user.name %}
{{ l(order.date, format="short") }}   {{ order.date|l }}
{% locale "de" %} … {% endlocale %}
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import PurePosixPath
from typing import Any

from jinja2 import Environment, nodes, pass_context
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from markupsafe import Markup, escape

from bide.i18n.default import default
from bide.i18n.html import translated
from bide.i18n.translator import I18n


class Texts(Extension):
    """The extension: `t`, `l`, `locale`.

    A key that ends in `_html` or `.html` is HTML: its values are escaped, itself is not. A key that begins
    with a dot lies below the template's own name: `.title` in `users/show.html` is `users.show.title`.
    """

    tags = {"t", "l", "locale"}  # noqa: RUF012 - Jinja declares it so

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        for name, function in (("t", _t), ("l", _l)):
            environment.globals[name] = environment.filters[name] = function

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Read one of the tags."""
        tag = next(parser.stream)
        args, keywords = _arguments(parser)
        if tag.value == "locale":
            body = parser.parse_statements(("name:endlocale",), drop_needle=True)
            call = self.call_method("_in_locale", [nodes.ContextReference(), *args], keywords)
            return nodes.CallBlock(call, [], [], body).set_lineno(tag.lineno)
        name = "_text" if tag.value == "t" else "_localized"
        said = self.call_method(name, [nodes.ContextReference(), *args], keywords)
        return nodes.Output([said]).set_lineno(tag.lineno)

    def _text(self, context: Context, key: Any, **options: Any) -> Any:
        return _t(context, key, **options)

    def _localized(self, context: Context, value: Any, **options: Any) -> Any:
        return _l(context, value, **options)

    def _in_locale(self, context: Context, locale: str, caller: Callable[[], Any]) -> Any:
        speaking = _i18n(context.environment).with_locale(locale)
        if context.environment.is_async:
            return _awaited(speaking, caller)
        with speaking:
            return caller()


async def _awaited(speaking: AbstractContextManager[None], caller: Callable[[], Any]) -> Any:
    with speaking:
        return await caller()


def install(environment: Environment, i18n: I18n | None = None) -> None:
    """Give an environment the texts of `i18n`; without one, those in use when a template is shown."""
    environment.add_extension(Texts)
    if i18n is not None:
        environment.extend(bide_i18n=i18n)


def _i18n(environment: Environment) -> I18n:
    return getattr(environment, "bide_i18n", None) or default()


@pass_context
def _t(context: Context, key: Any, /, **options: Any) -> Any:
    i18n = _i18n(context.environment)
    if isinstance(key, str) and key.startswith("."):
        key = f"{_scope_of(context.name)}{key}"
    if not context.eval_ctx.autoescape:
        return i18n.t(key, **options)
    return translated(i18n, key, options, escape, Markup)


@pass_context
def _l(context: Context, value: Any, /, **options: Any) -> Any:
    return _i18n(context.environment).l(value, **options)


def _scope_of(template: str | None) -> str:
    """`users.show` for `users/show.html`, `users.form` for the part `users/_form.html`."""
    if not template:
        return ""
    path = PurePosixPath(template)
    name = path.name.partition(".")[0].removeprefix("_")
    return ".".join([*path.parent.parts, name])


def _arguments(parser: Parser) -> tuple[list[nodes.Expr], list[nodes.Keyword]]:
    """What stands in a tag: `"key", name=value` or `"key" name=value`."""
    args: list[nodes.Expr] = []
    keywords: list[nodes.Keyword] = []
    stream = parser.stream
    while stream.current.type != "block_end":
        if stream.skip_if("comma"):
            continue
        if stream.current.type == "name" and stream.look().type == "assign":
            name = next(stream)
            next(stream)
            value = parser.parse_expression()
            keywords.append(nodes.Keyword(name.value, value, lineno=name.lineno))
        else:
            args.append(parser.parse_expression())
    return args, keywords
