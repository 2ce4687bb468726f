"""Texts in Jinja2 templates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from jinja2 import DictLoader, Environment

import bide.i18n
from bide.contrib.jinja import Texts, install
from bide.i18n import I18n, Simple


@pytest.fixture
def i18n() -> Iterator[I18n]:
    i18n = I18n(Simple())
    i18n.store(
        "en",
        {"hello": "Hello <%{name}>", "hello_html": "Hello <b>%{name}</b>", "rich": {"html": "<i>%{x}</i>"},
         "n": {"one": "%{count} car", "other": "%{count} cars"}, "users": {"show": {"title": "Users"}, "form": {"go": "Go"}},
         "date": {"formats": {"default": "%Y-%m-%d", "short": "%d/%m"}}, "list_html": ["<a>", "<b>"]},
    )  # fmt: skip
    i18n.store("de", {"hello": "Hallo %{name}"})
    bide.i18n.set_default(i18n)
    yield i18n
    bide.i18n.set_default(None)


def shown(i18n: I18n, template: str, autoescape: bool = True, **values: object) -> str:
    environment = Environment(autoescape=autoescape)
    install(environment, i18n)
    return environment.from_string(template).render(values)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{{ t("hello", name=x) }}', "Hello &lt;&amp;&gt;"),
        ('{{ "hello"|t(name=x) }}', "Hello &lt;&amp;&gt;"),
        ('{% t "hello" name=x %}', "Hello &lt;&amp;&gt;"),
        ('{% t "hello", name=x %}', "Hello &lt;&amp;&gt;"),
        ('{{ t("hello_html", name=x) }}', "Hello <b>&amp;</b>"),
        ('{% t "hello_html" name=x %}', "Hello <b>&amp;</b>"),
        ('{{ t("rich.html", x=x|e) }}', "<i>&amp;</i>"),
        ('{{ t("hello_html", name="<b>"|safe) }}', "Hello <b><b></b>"),
        ('{{ t("n", count=3) }}', "3 cars"),
        ('{{ t("nope_html", default="<b>%{name}</b>", name=x) }}', "<b>&amp;</b>"),
        ('{{ t("<script>_html") }}', "Translation missing: en.&lt;script&gt;_html"),
        ('{{ t("hello", name=x, locale="de") }}', "Hallo &amp;"),
        ('{% locale "de" %}{{ t("hello", name=x) }}{% endlocale %}|{{ t("n", count=1) }}', "Hallo &amp;|1 car"),
        ('{{ l(day) }} {{ day|l(format="short") }} {% l day format="short" %}', "2027-01-02 02/01 02/01"),
    ],
)  # fmt: skip
def test_texts_are_escaped_as_the_page_is(i18n: I18n, template: str, expected: str) -> None:
    assert shown(i18n, template, x="&", day=date(2027, 1, 2)) == expected


def test_a_page_that_escapes_nothing_gets_plain_texts(i18n: I18n) -> None:
    assert shown(i18n, '{{ t("hello_html", name="&") }}', autoescape=False) == "Hello <b>&</b>"


def test_a_hostile_text_in_a_database_is_escaped(i18n: I18n) -> None:
    i18n.store("en", {"evil": "<script>%{x}</script>"})
    assert shown(i18n, '{{ t("evil", x="{{ 7*7 }}") }}') == "&lt;script&gt;{{ 7*7 }}&lt;/script&gt;"


def test_a_key_with_a_dot_lies_below_its_template(i18n: I18n) -> None:
    pages = {
        "users/show.html": '{{ t(".title") }} {% include "users/_form.html" %}',
        "users/_form.html": '{% t ".go" %}',
    }
    environment = Environment(autoescape=True, loader=DictLoader(pages), extensions=[Texts])
    assert environment.get_template("users/show.html").render() == "Users Go"


async def test_async_templates_speak_too(i18n: I18n) -> None:
    environment = Environment(autoescape=True, enable_async=True, extensions=[Texts])
    template = environment.from_string('{% locale "de" %}{{ t("hello", name="x") }}{% endlocale %}')
    assert await template.render_async() == "Hallo x"


def test_the_extension_follows_the_texts_in_use(i18n: I18n) -> None:
    template = Environment(extensions=[Texts]).from_string('{{ t("hello", name="x") }}')
    other = I18n(Simple())
    other.store("en", {"hello": "other"})
    bide.i18n.set_default(other)
    assert template.render() == "other"
