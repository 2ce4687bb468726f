from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount

from bide import App, SettingsError, clock
from bide.web import Users, Viewer, create_app, create_wsgi_app, hashed_password
from web.browsing import client_of, post, token_in, viewed

PASSWORD = hashed_password("correct horse")


@pytest.fixture
def app() -> App:
    return App("memory://")


@pytest.fixture
def users() -> Users:
    return Users({"ada": {"password": PASSWORD, "roles": ["everything"]}})


def logged_in(screens: Any, **data: str) -> Any:
    client = client_of(screens)
    answer = post(client, "/login", {"name": "ada", "password": "correct horse", **data})
    assert answer.status_code == 303, answer.text
    return client


def test_without_users_a_printed_token_opens_the_screens_once(app: App) -> None:
    told: list[str] = []
    screens = create_app(app, announce=told.append)
    client = client_of(screens)
    assert client.get("/").headers["location"] == "/login"
    page = client.get("/login", params={"token": told[0]})
    assert told[0] in page.text
    assert "bide_session" not in client.cookies, "looking changes nothing"
    assert post(client, "/login", {"token": told[0]}).headers["location"] == "/"
    assert client.cookies["bide_session"]
    assert len(told) == 2
    assert post(client_of(screens), "/login", {"token": told[0]}).status_code == 403


def test_a_token_is_for_this_machine_only(app: App) -> None:
    told: list[str] = []
    screens = create_app(app, announce=told.append)
    elsewhere = client_of(screens, client=("192.0.2.7", 4000))
    proxied = client_of(screens, headers={"x-forwarded-for": "192.0.2.7"})
    other_name = client_of(screens, "http://evil.example:8790")
    for client in (elsewhere, proxied, other_name):
        answer = client.get("/login")
        assert answer.status_code == 403
        assert "this machine only" in answer.text
    assert client_of(screens, "http://[::1]:8790", client=("::1", 4000)).get("/login").is_success


def test_a_user_logs_in_with_the_password_and_comes_back_to_the_page(
    app: App, users: Users
) -> None:
    screens = create_app(app, users=users)
    client = client_of(screens)
    assert client.get("/login?x=1").is_success
    wrong = post(client, "/login", {"name": "ada", "password": "wrong"})
    assert wrong.status_code == 403
    right = post(client, "/login", {"name": "ada", "password": "correct horse", "next": "/a?b=c"})
    assert right.headers["location"] == "/a?b=c"


@pytest.mark.parametrize(
    "next_", ["//evil.example", "https://evil.example", "/\\evil.example", "", "x", "/\nevil"]
)
def test_a_login_leads_to_no_other_host(app: App, users: Users, next_: str) -> None:
    client = client_of(create_app(app, users=users))
    fields = {"name": "ada", "password": "correct horse", "next": next_}
    assert post(client, "/login", fields).headers["location"] == "/"


def test_wrong_passwords_are_slowed_down(app: App, users: Users) -> None:
    client = client_of(create_app(app, users=users))
    tries = [post(client, "/login", {"name": "ada", "password": "no"}) for _ in range(6)]
    assert [one.status_code for one in tries] == [403] * 5 + [429]
    assert int(tries[-1].headers["retry-after"]) > 0
    right = post(client, "/login", {"name": "ada", "password": "correct horse"})
    assert right.status_code == 429, "the right one waits as well"


def test_a_session_ends_after_its_time(app: App) -> None:
    users = Users({"ada": {"password": PASSWORD, "roles": ["everything"]}}, session_lifetime=60)
    client = logged_in(create_app(app, users=users))
    assert client.get("/nothing").status_code == 404
    late = clock.utc_now().timestamp() + 61
    clock.set_wall(lambda: clock.datetime.fromtimestamp(late, clock.UTC))
    try:
        assert client.get("/nothing").headers["location"] == "/login?next=%2Fnothing"
        ended = post(client, "/preferences", {"theme": "dark"})
    finally:
        clock.set_wall(None)
    assert ended.status_code == 401
    assert "Your session has ended" in ended.text


def test_logging_out_ends_the_session_itself(app: App, users: Users) -> None:
    client = logged_in(create_app(app, users=users))
    kept = client.cookies["bide_session"]
    assert post(client, "/logout").status_code == 303
    client.cookies.set("bide_session", kept, domain="127.0.0.1", path="/")
    assert client.get("/nothing").status_code == 303


def test_a_new_password_ends_the_sessions_of_the_old_one(app: App) -> None:
    before = Users({"ada": {"password": PASSWORD, "roles": ["everything"]}}, secret="s")
    entry = {"password": hashed_password("another"), "roles": ["everything"]}
    client = logged_in(create_app(app, users=before))
    after = client_of(create_app(app, users=Users({"ada": entry}, secret="s")))
    after.cookies.set("bide_session", client.cookies["bide_session"])
    assert after.get("/nothing").headers["location"].startswith("/login")


@pytest.mark.parametrize("cookie", ["", ".", "a.b", "é", "e30.AAAA", "W10.", "=" * 5000])
def test_a_forged_session_is_none(app: App, users: Users, cookie: str) -> None:
    client = client_of(create_app(app, users=users))
    answer = client.get("/", headers={"cookie": f"bide_session={cookie}".encode()})
    assert answer.headers["location"] == "/login"


def test_a_hook_of_the_application_says_who_looks(app: App) -> None:
    def by_header(request: Request) -> Any:
        name = request.headers.get("x-user")
        return Viewer(name, ["jobs.view"]) if name else RedirectResponse("/their/login")

    async def later(request: Request) -> Any:
        return by_header(request)

    for hook in (by_header, later):
        client = client_of(create_app(app, auth=hook))
        assert client.get("/").headers["location"] == "/their/login"
        assert client.get("/nothing", headers={"x-user": "bob"}).status_code == 404
    nobody = client_of(create_app(app, auth=lambda request: None))
    assert nobody.get("/").status_code == 403
    anything = client_of(create_app(app, auth=lambda request: "ada"))  # type: ignore[arg-type,return-value]
    assert anything.get("/").status_code == 403


def test_a_form_without_its_token_changes_nothing(app: App) -> None:
    client = viewed(app)
    client.get("/login")
    for data in ({}, {"csrf": ""}, {"csrf": "x" * 32}, {"csrf": "é"}):
        answer = client.post("/preferences", data={**data, "theme": "dark"})
        assert answer.status_code == 403
        assert "bide_theme" not in client.cookies
    assert post(client, "/preferences", {"theme": "dark"}).status_code == 303
    assert client.cookies["bide_theme"] == "dark"


def test_a_page_of_another_site_can_send_nothing(app: App) -> None:
    client = viewed(app)
    for headers in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8790"},
    ):
        assert post(client, "/preferences", {"theme": "dark"}, headers=headers).status_code == 403
    ours = {"sec-fetch-site": "same-origin", "origin": "http://127.0.0.1:8790"}
    assert post(client, "/preferences", {"theme": "dark"}, headers=ours).status_code == 303


def test_every_answer_has_its_guards(app: App) -> None:
    client = viewed(app)
    for path in ("/login", "/nothing", "/static/bide.css", "/static/nothing"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    assert client.get("/nothing").headers["cache-control"] == "no-store"
    assert "immutable" in client.get("/static/bide.css").headers["cache-control"]
    assert client.put("/login").status_code == 405


def test_cookies_are_for_our_pages_alone(app: App) -> None:
    mounted = Starlette(routes=[Mount("/ops", create_app(app, auth=lambda r: Viewer("ada")))])
    plain = client_of(mounted).get("/ops/nothing").headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=lax" in plain
    assert "Path=/ops" in plain
    assert "Secure" not in plain
    https = client_of(mounted, "https://127.0.0.1").get("/ops/nothing").headers["set-cookie"]
    assert "Secure" in https


def test_links_and_forms_stay_below_the_place_of_the_mount(app: App, users: Users) -> None:
    mounted = Starlette(routes=[Mount("/ops", create_app(app, users=users))])
    client = client_of(mounted)
    page = client.get("/ops/login").text
    assert 'action="/ops/login"' in page
    assert 'href="/ops/static/bide.css' in page
    assert client.get("/ops/").headers["location"] == "/ops/login"
    fields = {"name": "ada", "password": "correct horse", "csrf": token_in(page)}
    assert (
        client.post("/ops/login", data=fields | {"next": "/other"}).headers["location"] == "/ops/"
    )


def test_a_page_without_its_viewer_is_never_made(app: App) -> None:
    client = viewed(app, ["texts.view"])
    assert client.get("/nothing").status_code == 404
    blank = viewed(app, [])
    assert blank.get("/").status_code == 403


def test_a_form_larger_than_allowed_is_refused(app: App) -> None:
    client = viewed(app)
    answer = post(client, "/preferences", {"theme": "dark" * 10_000})
    assert answer.status_code == 413


def test_it_works_behind_wsgi(app: App) -> None:
    import io

    screens = create_wsgi_app(app, auth=lambda request: Viewer("ada"))
    seen: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/ops", "PATH_INFO": "/nothing", "SERVER_NAME": "x",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(), "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "x", "REMOTE_ADDR": "192.0.2.1",
    }  # fmt: skip
    body = b"".join(screens(environ, lambda status, headers, _=None: seen.append(status)))
    assert seen[0].startswith("404")
    assert b"/ops/static/bide.css" in body


@pytest.mark.parametrize(
    ("users", "told"),
    [
        ({}, "empty"),
        ({"ada": {"password": PASSWORD}}, "roles"),
        ({"ada": {"password": "plain", "roles": []}}, "no hash"),
        ({"ada": {"password": PASSWORD, "roles": ["boss"]}}, "unknown role 'boss'"),
        ({"ada": {"password": PASSWORD, "roles": ["jobs.view:de"]}}, "unknown role"),
        ({"ada": "x"}, "needs a password"),
    ],
)
def test_a_wrong_list_of_users_is_refused(users: Any, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        Users(users)


def test_roles_include_those_before_them() -> None:
    viewer = Viewer("ada", ["jobs.operate", "texts.edit:de"])
    assert viewer.may("jobs.view")
    assert not viewer.may("jobs.administer")
    assert viewer.may("texts.view", "fr")
    assert viewer.may("texts.suggest", "de")
    assert not viewer.may("texts.edit", "fr")
    assert viewer.may("texts.edit")
    assert not viewer.may("texts.approve", "de")
    assert Viewer("root").may("texts.administer", "fr")


def test_languages_follow_the_choice_then_the_browser(app: App) -> None:
    client = viewed(app)
    assert '<html lang="en" dir="ltr"' in client.get("/nothing").text
    arabic = {"accept-language": "xx, ar;q=0.9, de;q=0.3"}
    assert '<html lang="ar" dir="rtl"' in client.get("/nothing", headers=arabic).text
    post(client, "/preferences", {"locale": "de"})
    assert '<html lang="de" dir="ltr"' in client.get("/nothing", headers=arabic).text
    post(client, "/preferences", {"locale": "<script>"})
    assert '<html lang="de"' in client.get("/nothing").text


def test_wrong_passwords_at_the_same_time_are_no_more_than_one_after_another(
    app: App, users: Users
) -> None:
    from concurrent.futures import ThreadPoolExecutor

    client = client_of(create_app(app, users=users))
    client.get("/login")
    fields = {"name": "ada", "password": "wrong"}
    with ThreadPoolExecutor(12) as pool:
        answers = [*pool.map(lambda _: post(client, "/login", fields).status_code, range(12))]
    assert answers.count(403) == 5
    assert answers.count(429) == 7


def test_who_logs_in_often_is_not_slowed_down(app: App, users: Users) -> None:
    client = client_of(create_app(app, users=users))
    for _ in range(21):
        right = post(client, "/login", {"name": "ada", "password": "correct horse"})
        assert right.status_code == 303


@pytest.mark.parametrize("host", ["[::1", "evil.example", "", "127.0.0.1.evil.example"])
def test_a_host_that_is_none_of_this_machine_is_refused(app: App, host: str) -> None:
    client = client_of(create_app(app, announce=lambda _: None))
    assert client.get("/login", headers={"host": host}).status_code == 403


def test_an_origin_that_is_none_is_another_site(app: App) -> None:
    client = viewed(app)
    for origin in ("http://[", "null", "http://127.0.0.1:1"):
        answer = post(client, "/queues/pause", {"queue": "mail"}, headers={"origin": origin})
        assert answer.status_code == 403


def test_requests_that_share_a_state_do_not_share_their_viewer(app: App) -> None:
    shared: dict[str, Any] = {"kept": "by the application"}
    seen: list[Any] = []

    def hook(request: Request) -> Viewer | None:
        seen.append(request.state.kept)
        return Viewer("ada") if "x-ada" in request.headers else None

    screens = create_app(app, auth=hook)

    async def server(scope: Any, receive: Any, send: Any) -> None:
        await screens({**scope, "state": shared}, receive, send)

    client = client_of(server)
    assert client.get("/login", headers={"x-ada": "1"}).status_code == 303
    assert client.get("/overview").status_code == 403
    assert shared == {"kept": "by the application"}
    assert seen == ["by the application"] * 2
