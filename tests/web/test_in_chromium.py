"""The journeys of an operator in a real browser, on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bide import App
from bide.jobs.job import Filter, State
from bide.web import Users, create_app, hashed_password
from waiting import wait_until
from web.browser import faults, served

pytestmark = [pytest.mark.story, pytest.mark.timeout(180)]

FAILED = Filter(states=(State.FAILED,))
Open = Callable[..., Any]


def test_the_failed_job_is_found_understood_and_mended_in_three_clicks(
    shop: App, open_page: Open
) -> None:
    page = open_page(shop)
    page.get_by_role("link", name="3 jobs have failed").click()
    page.get_by_role("row").filter(has_text="order 4712").get_by_role("link").click()
    assert "PaymentRefused" in page.locator("#error").inner_text()
    assert "4712" in page.locator("#facts").inner_text()
    page.get_by_role("button", name="Retry", exact=True).click()
    page.get_by_text("is ready to run.").wait_for()
    assert shop.store.count(FAILED) == 2
    [entry] = shop.store.audit.read()
    assert (entry.who, entry.action) == ("ada", "jobs.retry")


def test_a_job_is_edited_in_the_zone_of_its_viewer(shop: App, open_page: Open) -> None:
    [job, *_] = shop.store.find(Filter(states=(State.SCHEDULED,)))
    page = open_page(shop, f"/jobs/{job.id}")
    page.get_by_role("link", name="Edit").click()
    assert page.get_by_label("Run at (Europe/Berlin)").count() == 1
    page.get_by_label("Run at").fill("2037-07-02T03:04:05")
    page.get_by_label("Priority").fill("-5")
    page.get_by_role("button", name="Save").last.click()
    page.get_by_text("is saved.").wait_for()
    row = shop.store.get(job.id)
    assert row is not None
    assert (row.priority, row.run_at.isoformat()) == (-5, "2037-07-02T01:04:05+00:00")


@pytest.mark.parametrize(("verb", "states"), [("Retry", "failed"), ("Cancel", "scheduled"), ("Delete", "failed")])  # fmt: skip
def test_all_of_a_list_are_changed_after_their_number_was_shown(
    shop: App, open_page: Open, verb: str, states: str
) -> None:
    page = open_page(shop, f"/jobs?state={states}")
    page.locator("#groupings").get_by_role("link", name=verb).click()
    number = shop.store.count(Filter(states=(State[states.upper()],)))
    page.get_by_role("heading", name=f"{verb} {number} jobs?").wait_for()
    page.get_by_role("button", name=f"{verb} {number} jobs").click()
    page.get_by_role("status").filter(has_text=str(number)).first.wait_for()
    assert shop.store.count(Filter(states=(State[states.upper()],))) == 0


def test_chosen_jobs_are_changed_and_others_are_not(shop: App, open_page: Open) -> None:
    page = open_page(shop, "/jobs?state=failed")
    bar = page.locator("[data-bulk]")
    assert bar.get_by_role("button", name="Delete").is_disabled()
    page.get_by_label("Choose all on this page").check()
    page.get_by_role("row").nth(1).get_by_role("checkbox").uncheck()
    assert page.locator("[data-chosen]").inner_text() == "2"
    bar.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete 2 jobs").click()
    page.get_by_text("2 jobs are deleted.").wait_for()
    assert shop.store.count(FAILED) == 1


def test_a_queue_is_paused_and_resumed(shop: App, open_page: Open) -> None:
    page = open_page(shop, "/queues")
    page.get_by_role("button", name="Pause queue mail").click()
    page.get_by_text("Queue mail is paused.").wait_for()
    page.get_by_role("button", name="Resume queue mail").click()
    page.get_by_text("Queue mail is resumed.").wait_for()


def test_everything_works_without_javascript(small_shop: App, open_page: Open) -> None:
    page = open_page(small_shop, "/jobs?state=failed", java_script_enabled=False)
    page.get_by_role("row").nth(1).get_by_role("checkbox").check()
    page.locator("[data-bulk]").get_by_role("button", name="Retry").click()
    page.get_by_role("button", name="Retry 1 job").click()
    assert page.get_by_text("1 job is ready to run.").count() == 1


def test_the_overview_stays_fresh_by_itself_and_quietly(
    sqlite_url: str, request: pytest.FixtureRequest, open_page: Open
) -> None:
    from web.shop import declare

    app = App(sqlite_url)
    app.migrate()
    page = open_page(app, "/overview")
    page.get_by_text("All is well").wait_for()
    page.evaluate("document.querySelector('.menu').open = true")
    page.get_by_label("Language").focus()
    declare(app)["thumbnail"].delay("/x.jpg", [1])
    page.locator("#tiles").get_by_role("link", name="1 Ready").wait_for()
    assert page.evaluate("document.activeElement.name") == "locale", (
        "what one does is not disturbed"
    )
    app.close()


def test_a_session_that_ends_leads_to_the_login_and_back(small_shop: App, browser: Any) -> None:
    users = Users({"ada": {"password": hashed_password("pass word"), "roles": ["everything"]}})
    with served(create_app(small_shop, users=users)) as address:
        context = browser.new_context(base_url=address)
        page = context.new_page()
        page.goto("/jobs?state=failed")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("pass word")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/jobs?state=failed")
        context.clear_cookies(name="bide_session")
        page.get_by_role("button", name="Retry job").first.click()
        page.get_by_text("Your session has ended").wait_for()
        assert small_shop.store.count(FAILED) == 3
        context.close()


PAGES = ("/overview", "/jobs", "/jobs?state=failed", "/jobs?state=failed&by=error", "/queues", "/workers",
         "/audit", "/jobs/{id}", "/jobs/{id}/edit", "/jobs/confirm?verb=delete&state=failed", "/login/x")  # fmt: skip


@pytest.mark.parametrize(
    "look", [{}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 800}}]
)
def test_axe_finds_nothing(small_shop: App, open_page: Open, look: dict[str, Any]) -> None:
    [job, *_] = small_shop.store.find(FAILED)
    small_shop.store.pause("mail", job.created_at)
    page, found = open_page(small_shop, "/overview", **look), {}
    for path in PAGES[:-1]:
        page.goto(path.format(id=job.id))
        found[path] = faults(page)
    assert not any(found.values()), found


def test_pages_can_be_used_from_the_keyboard(small_shop: App, open_page: Open) -> None:
    page = open_page(small_shop, "/jobs?state=failed")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("4711")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=4711**")
    wait_until(lambda: page.get_by_role("row").count() == 2)


@pytest.mark.parametrize("width", [390, 1200])
def test_names_of_any_length_leave_room_for_others(
    small_shop: App, open_page: Open, width: int
) -> None:
    name, queue = "shop." + "a_very_long_name_" * 8, "queue-" + "0123456789" * 6

    @small_shop.job(name=name, queue=queue, max_attempts=1)
    def fail() -> None:
        raise ValueError("فشل الدفع: " + "E" * 300)

    job = fail.delay()
    small_shop.worker(queues=[queue]).work_off()
    page = open_page(
        small_shop, "/jobs?state=failed", viewport={"width": width, "height": 800}, locale="de"
    )
    row = page.get_by_role("row").filter(has_text=str(job.id)).first
    wide = lambda part: row.locator(part).bounding_box()["width"]  # noqa: E731
    assert wide(".c-queue") > 70
    assert row.locator(".c-id a").bounding_box()["height"] < 40
    error = row.locator(".clip")
    assert error.evaluate("one => getComputedStyle(one).direction") == "rtl", "its begin is seen"
    assert error.get_attribute("title").startswith("فشل")
    page.goto("/queues")
    assert page.get_by_role("rowheader").filter(has_text="mail").bounding_box()["width"] > 100
    page.goto("/audit")
    [seen] = page.locator(".top nav [aria-current]").all()
    box = seen.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_nothing_is_fetched_from_elsewhere(small_shop: App, open_page: Open) -> None:
    page, asked = open_page(small_shop, "/overview"), []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/jobs")
    assert asked
    assert {url.split("/")[2] for url in asked} == {page.url.split("/")[2]}


def test_pictures_for_the_documentation(
    request: pytest.FixtureRequest, small_shop: App, open_page: Open, tmp_path: Path
) -> None:
    """BIDE_PICTURES=docs/pictures keeps them."""
    import os

    kept = Path(os.environ.get("BIDE_PICTURES", tmp_path))
    [job, *_] = small_shop.store.find(FAILED)
    looks: dict[str, tuple[str, dict[str, Any]]] = {
        "overview": ("/overview", {}),
        "failed": ("/jobs?state=failed", {}),
        "job": (f"/jobs/{job.id}", {}),
        "confirm": ("/jobs/confirm?verb=retry&state=failed", {}),
        "queues": ("/queues", {}),
        "overview-dark": ("/overview", {"color_scheme": "dark"}),
        "failed-narrow": ("/jobs?state=failed", {"viewport": {"width": 390, "height": 760}}),
        "overview-rtl": ("/overview", {"locale": "ar"}),
    }
    for name, (path, look) in looks.items():
        page = open_page(small_shop, path, **look)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=kept / f"{name}.png")
        assert (kept / f"{name}.png").stat().st_size > 5000
        page.close()
