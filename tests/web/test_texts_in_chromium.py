"""The translator's journey in a real browser, on SQLite and PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bide import App
from bide.i18n.editing.editor import Editor
from waiting import wait_until
from web.browser import faults
from web.flower_shop import open_flowers
from web.shop_texts import close

pytestmark = [pytest.mark.story, pytest.mark.timeout(300)]

Open = Callable[..., Any]
Shop = tuple[App, Editor]


def arrive(page: Any, key: str) -> None:
    """Wait for the page of a text, and for the scripts that hear its keys."""
    page.get_by_role("heading", name=key).wait_for()
    page.wait_for_load_state("load")


@pytest.fixture(params=["sqlite", "postgresql"])
def flowers(request: pytest.FixtureRequest) -> Iterator[Shop]:
    app = App(request.getfixturevalue(f"{request.param}_url"))
    yield app, open_flowers(app)
    close(app)


@pytest.fixture
def small_flowers(sqlite_url: str) -> Iterator[Shop]:
    app = App(sqlite_url)
    yield app, open_flowers(app)
    close(app)


def test_what_is_missing_is_found_filled_in_by_keyboard_and_seen_live(
    flowers: Shop, open_page: Open
) -> None:
    app, editor = flowers
    page = open_page(app, "/texts/app")
    page.get_by_role("row").filter(has_text="German").get_by_role("link", name="5").click()
    page.get_by_role("link", name="Translate errors.stock").click()
    arrive(page, "errors.stock")
    field = page.locator("[name=value]")
    page.wait_for_function("document.activeElement.name == 'value'")
    field.press_sequentially("Nur noch ")
    page.get_by_role("button", name="%{left}").click()
    field.press_sequentially(" auf Lager.")
    page.get_by_text("No problem found.").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_text("“errors.stock” is saved.").wait_for()
    arrive(page, "mail.confirm.body")
    page.get_by_text("Live in 1 of one process").wait_for()
    assert editor.sources.i18n.t("errors.stock", left=3, locale="de") == "Nur noch 3 auf Lager."
    page.keyboard.press("Alt+ArrowDown")
    arrive(page, "mail.confirm.subject")
    page.keyboard.press("Alt+ArrowDown")
    arrive(page, "shop.cart.items")
    page.locator("[name='form.one']").fill("ein Strauß in deinem Warenkorb")
    page.locator("[name='form.other']").fill("%{count} Sträuße in deinem Warenkorb")
    page.get_by_text("4 Sträuße in deinem").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_text("“shop.cart.items” is saved.").wait_for()
    assert editor.text("de", "shop.cart.items").value["one"] == "ein Strauß in deinem Warenkorb"


def test_a_wrong_placeholder_is_shown_while_typing_and_refused(
    flowers: Shop, open_page: Open
) -> None:
    app, editor = flowers
    page = open_page(app, "/texts/app/de/text?key=shop.welcome")
    page.locator("[name=value]").fill("Hallo %{nom}")
    page.get_by_text("no placeholder nom").wait_for()
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_text("Not saved.").wait_for()
    assert page.locator("[name=value]").input_value() == "Hallo %{nom}"
    page.get_by_role("button", name="Keep as draft").click()
    page.get_by_text("is kept as a draft").wait_for()
    assert editor.text("de", "shop.welcome").value.startswith("Hallo %{name}")


def test_two_editors_see_each_others_text(flowers: Shop, open_page: Open) -> None:
    app, editor = flowers
    first, second = (open_page(app, "/texts/app/de/text?key=shop.title") for _ in range(2))
    first.locator("[name=value]").fill("Blütenladen")
    second.locator("[name=value]").fill("Florist")
    second.get_by_role("button", name="Save", exact=True).click()
    second.get_by_text("is saved.").wait_for()
    first.get_by_role("button", name="Save", exact=True).click()
    first.get_by_role("alert").get_by_text("Somebody changed this text").wait_for()
    assert "Florist" in first.get_by_role("alert").inner_text()
    first.get_by_role("button", name="Save", exact=True).click()
    first.get_by_text("is saved.").wait_for()
    assert editor.text("de", "shop.title").value == "Blütenladen"
    first.locator("li").filter(has_text="Florist").get_by_role(
        "button", name="Bring back"
    ).first.click()
    wait_until(lambda: editor.text("de", "shop.title").value == "Florist", within=60)


def test_everything_works_without_javascript(small_flowers: Shop, open_page: Open) -> None:
    app, editor = small_flowers
    page = open_page(app, "/texts/app/de?state=missing", java_script_enabled=False)
    page.get_by_role("link", name="Translate errors.stock").click()
    page.locator("[name=value]").fill("Nur noch %{left}.")
    page.get_by_role("button", name="Save and next").click()
    arrive(page, "mail.confirm.body")
    assert editor.text("de", "errors.stock").value == "Nur noch %{left}."


def test_the_source_is_copied_form_by_form(small_flowers: Shop, open_page: Open) -> None:
    page = open_page(small_flowers[0], "/texts/app/de/text?key=mail.confirm.body")
    arrive(page, "mail.confirm.body")
    page.get_by_role("button", name="Copy the source").click()
    wanted = "Dear %{name},\n\nthank you for your order.\nIt comes on %{day}.\n\nYour flower shop"
    assert page.locator("[name=value]").input_value() == wanted


PAGES = (
    "/texts/app", "/texts/app/de", "/texts/app/de?state=missing&ref=ar", "/texts/app/de/exchange",
    "/texts/app/de/text?key=shop.title", "/texts/app/ar/text?key=shop.cart.items&ref=de",
    "/texts/app/de/text?key=shop.footer_html", "/texts/app/history?author=Ada", "/texts/screens/ar",
)  # fmt: skip


@pytest.mark.parametrize(
    "look",
    [{}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}, {"locale": "ar"}],
    ids=["light", "dark and narrow", "from right to left"],
)
def test_axe_finds_nothing(small_flowers: Shop, open_page: Open, look: dict[str, Any]) -> None:
    small_flowers[1].writers.write("de", "shop.title", "Ben")
    page, found = open_page(small_flowers[0], "/texts/app", **look), {}
    for path in PAGES:
        page.goto(path)
        found[path] = faults(page)
    assert not any(found.values()), found


def test_texts_from_right_to_left_stand_so(small_flowers: Shop, open_page: Open) -> None:
    page = open_page(small_flowers[0], "/texts/app/ar/text?key=shop.welcome")
    field = page.locator("[name=value]")
    assert field.evaluate("one => [one.lang, getComputedStyle(one).direction]") == ["ar", "rtl"]
    assert page.evaluate("getComputedStyle(document.documentElement).direction") == "ltr"
    source = page.locator("[data-source] .text-part")
    assert source.evaluate("one => [one.lang, getComputedStyle(one).direction]") == ["en", "ltr"]


def test_pictures_for_the_documentation(
    small_flowers: Shop, open_page: Open, tmp_path: Path
) -> None:
    """BIDE_PICTURES=docs/pictures keeps them."""
    kept = Path(os.environ.get("BIDE_PICTURES", tmp_path))
    narrow = {"viewport": {"width": 390, "height": 760}}
    looks: dict[str, tuple[str, dict[str, Any]]] = {
        "texts-languages": ("/texts/app", {}),
        "texts-list": ("/texts/app/de", {}),
        "texts-text": ("/texts/app/de/text?key=shop.footer_html", {}),
        "texts-plural": ("/texts/app/ar/text?key=shop.cart.items", {}),
        "texts-review": ("/texts/app/de/text?key=shop.title", {"color_scheme": "dark"}),
        "texts-changed": ("/texts/app/de/text?key=errors.payment", {}),
        "texts-files": ("/texts/app/de/exchange", {}),
        "texts-narrow": ("/texts/app/de?state=missing", narrow),
        "texts-rtl": ("/texts/app/ar", {"locale": "ar"}),
    }
    for name, (path, look) in looks.items():
        page = open_page(small_flowers[0], path, **look)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=kept / f"{name}.png", full_page=name == "texts-plural")
        assert (kept / f"{name}.png").stat().st_size > 5000
        page.close()
