from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bide import App, clock
from bide.jobs.bulk import AT_ONCE, Bulk
from bide.jobs.job import Filter, NewJob, State
from bide.jobs.store import Wanted
from web.browsing import post, viewed
from web.shop import declare, open_shop

HOSTILE = "<script>alert(1)</script>'\"&amp;{{7*7}}%\u202e"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    app = App(f"sqlite:///{path}")
    app.migrate()
    open_shop(app)
    app.close()
    return path


@pytest.fixture
def app(filled: Any, tmp_path: Any) -> Iterator[App]:
    import shutil

    path = tmp_path / "shop.db"
    shutil.copy(filled, path)
    app = App(f"sqlite:///{path}")
    yield app
    app.close()


def one(app: App, **which: Any) -> Any:
    return app.store.find(Filter(**which))[0]


def failed(app: App) -> Any:
    return one(app, states=(State.FAILED,))


def test_every_page_answers(app: App) -> None:
    client, job = viewed(app), failed(app)
    for path in (
        "/overview", "/overview?span=7d", "/overview?span=x", "/jobs", "/queues", "/workers", "/audit",
        f"/jobs/{job.id}", f"/jobs/{job.id}/edit", f"/jobs/confirm?verb=delete&ids={job.id}",
        *(f"/jobs?state={state.name.lower()}" for state in State),
        *(f"/jobs?state=failed&by={by}" for by in ("name", "error", "x")),
    ):  # fmt: skip
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text[:500])
        assert "Translation missing" not in answer.text, path
        assert "style=" not in answer.text, "the content security policy forbids styles in pages"
        live = client.get(path + ("&" if "?" in path else "?") + "live=once")
        assert "<html" not in live.text
        assert client.get(path, headers={"accept-language": "ar"}).status_code == 200


def test_the_overview_says_what_needs_somebody(app: App) -> None:
    page = viewed(app).get("/overview").text
    assert "This needs you" in page
    assert "3 jobs have failed" in page
    app.store.delete(Filter(states=(State.FAILED,)))
    assert "All is well" in viewed(app).get("/overview").text


def test_one_job_that_waits_is_told_as_one(sqlite_url: str) -> None:
    app = App(sqlite_url)
    app.migrate()
    declare(app)["thumbnail"].delay("/photos/1.jpg", [64])
    assert "No worker is running, and 1 job waits" in viewed(app).get("/overview").text
    app.close()


def test_a_failed_job_is_found_and_its_error_is_read(app: App) -> None:
    client = viewed(app)
    listed = client.get("/jobs?state=failed").text
    assert "was declined" in listed
    job = failed(app)
    page = client.get(f"/jobs/{job.id}").text
    assert "was declined" in page
    assert "PaymentRefused" in page
    assert "19.99" in page
    assert "decimal" in page


def test_secrets_are_shown_nowhere_and_found_by_no_search(app: App) -> None:
    client, job = viewed(app), failed(app)
    assert "tok_4f3a" in job.payload + job.last_error
    for path in (f"/jobs/{job.id}", f"/jobs/{job.id}/edit", "/jobs", "/jobs?by=error"):
        assert "tok_4f3a" not in client.get(path).text, path
    assert f"/jobs/{job.id}" not in client.get("/jobs?q=tok_4f3a").text
    assert f"/jobs/{job.id}" in client.get("/jobs?q=declined").text
    for path in (
        "/jobs?by=name&q=tok_4f", "/jobs?by=error&q=tok_4f", "/jobs/confirm?verb=retry&q=tok_4f",
        f"/jobs/confirm?verb=retry&q=tok_4f&ids={job.id}", f"/jobs?error={job.last_error[:42]}",
        f"/jobs?by=name&error={job.last_error[:42]}",
        f"/jobs/confirm?verb=retry&error={job.last_error[:42]}",
    ):  # fmt: skip
        assert "billing.charge" not in client.get(path).text, path
    assert "token=tok" in job.last_error[:42]
    for path in ("/jobs?by=name&q=declined", "/jobs/confirm?verb=retry&q=declined",
                 f"/jobs?error={job.last_error[:25]}"):  # fmt: skip
        assert "billing.charge" in client.get(path).text, path


def test_what_a_search_shows_is_what_is_changed(app: App) -> None:
    client, job = viewed(app), failed(app)
    fields = {"verb": "retry", "q": "tok_4f", "number": "3"}
    assert post(client, "/jobs/bulk", fields).status_code == 409
    assert app.store.count(Filter(states=(State.FAILED,))) == 3
    order = job.last_error.split()[3]
    answer = post(client, "/jobs/bulk", {"verb": "retry", "q": f"order {order}", "number": "1"})
    assert answer.status_code == 303
    row = app.store.get(job.id)
    assert row is not None
    assert row.state == State.READY
    assert app.store.count(Filter(states=(State.FAILED,))) == 2


def test_secrets_in_a_dict_with_other_keys_are_hidden_and_stay(app: App) -> None:
    @app.job(name="mixed")
    def mixed(given: dict[Any, str]) -> None:
        pass

    client, job = viewed(app), mixed.delay({1: "one", "password": "hunter2"})
    page = client.get(f"/jobs/{job.id}/edit").text
    assert "hunter2" not in page + client.get(f"/jobs/{job.id}").text
    before = app.store.get(job.id)
    assert before is not None
    pair = '["password", "••••••"]'
    args = '{"args": [{"$bide": "dict", "value": [[1, "two"], %s]}], "kwargs": {}}'
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark
    moved = {"mark": mark[1], "arguments": args % '["note", "••••••"]'}
    assert post(client, f"/jobs/{job.id}/edit", moved).status_code == 422
    kept = {"mark": mark[1], "arguments": args % pair}
    assert post(client, f"/jobs/{job.id}/edit", kept).status_code == 303
    after = app.store.get(job.id)
    assert after is not None
    assert json.loads(after.payload) == json.loads(before.payload.replace('"one"', '"two"'))


@pytest.mark.parametrize("number", ["9223372036854775808", "9" * 60])
def test_a_number_that_no_job_has_is_not_found(app: App, number: str) -> None:
    client = viewed(app)
    for path in (f"/jobs/{number}", f"/jobs/{number}/edit", f"/jobs/bulk/{number}"):
        assert client.get(path).status_code == 404
    assert post(client, f"/jobs/{number}/retry").status_code == 404


def test_a_job_is_retried_with_its_attempts_at_zero_and_it_is_written_down(app: App) -> None:
    client, job = viewed(app), failed(app)
    answer = post(client, f"/jobs/{job.id}/retry", {"next": "/jobs?state=failed"})
    assert answer.headers["location"] == f"/jobs?state=failed&notice=retry_done&n.id={job.id}"
    assert f"Job {job.id} is ready to run." in client.get(answer.headers["location"]).text
    row = app.store.get(job.id)
    assert row is not None
    assert (row.state, row.attempts) == (State.READY, 0)
    [entry] = app.store.audit.read(action="jobs.retry")
    assert (entry.who, entry.what) == ("ada", str(job.id))
    assert "ada" in client.get(f"/jobs/{job.id}").text


def test_a_second_operator_is_told_that_it_was_done(app: App) -> None:
    first, second, job = viewed(app), viewed(app), failed(app)
    assert "retry_done" in post(first, f"/jobs/{job.id}/retry").headers["location"]
    late = post(second, f"/jobs/{job.id}/retry")
    assert "retry_refused" in late.headers["location"]
    post(first, f"/jobs/{job.id}/delete")
    gone = post(second, f"/jobs/{job.id}/cancel")
    assert "notice=gone" in gone.headers["location"]
    page = second.get(gone.headers["location"])
    assert page.status_code == 404
    assert "deleted" in page.text, "the page says who deleted it"
    assert len(app.store.audit.read()) == 2


def test_a_job_is_deleted_while_it_runs_and_its_end_is_ignored(app: App) -> None:
    client, job = viewed(app), one(app, states=(State.RUNNING,))
    [worker] = [w for w in app.store.workers() if w.id == job.worker_id]
    assert "delete_done" in post(client, f"/jobs/{job.id}/delete").headers["location"]
    from bide.jobs.store import WorkerRef

    ref = WorkerRef(worker.id, worker.name)
    assert app.store.finish(ref, [(job.id, job.lease)], clock.utc_now(), keep=True) == set()
    assert app.store.get(job.id) is None


def test_a_job_is_edited(app: App) -> None:
    client, job = viewed(app), one(app, states=(State.SCHEDULED,))
    page = client.get(f"/jobs/{job.id}/edit").text
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark
    client.cookies.set("bide_zone", "Europe/Berlin")
    fields = {"mark": mark[1], "queue": "mail", "priority": "-7", "run_at": "2037-01-02T03:04:05"}
    answer = post(client, f"/jobs/{job.id}/edit", fields)
    assert "edit_done" in answer.headers["location"]
    row = app.store.get(job.id)
    assert row is not None
    assert (row.queue, row.priority) == ("mail", -7)
    assert row.run_at.isoformat() == "2037-01-02T02:04:05+00:00"
    assert row.payload == job.payload
    [entry] = app.store.audit.read(action="jobs.edit")
    assert entry.detail["before"]["priority"] == "10"


def test_an_edit_over_somebody_elses_shows_both(app: App) -> None:
    client, job = viewed(app), one(app, states=(State.SCHEDULED,))
    mark = re.search(r'name="mark" value="(\w+)"', client.get(f"/jobs/{job.id}/edit").text)
    assert mark
    app.store.change(job.id, clock.utc_now(), priority=3)
    answer = post(
        client, f"/jobs/{job.id}/edit", {"mark": mark[1], "queue": "mine", "priority": "4"}
    )
    assert answer.status_code == 409
    assert "was changed meanwhile" in answer.text
    assert 'value="mine"' in answer.text
    row = app.store.get(job.id)
    assert row is not None
    assert row.queue == job.queue


def test_arguments_are_edited_and_hidden_ones_stay(app: App) -> None:
    from html import unescape

    client, job = viewed(app), failed(app)
    page = client.get(f"/jobs/{job.id}/edit").text
    found = re.search(r'name="arguments"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert found
    assert mark
    text = unescape(found[1])
    assert "••••••" in text
    changed = text.replace("19.99", "18.00")
    answer = post(client, f"/jobs/{job.id}/edit", {"mark": mark[1], "arguments": changed})
    assert "edit_done" in answer.headers["location"], answer.text
    row = app.store.get(job.id)
    assert row is not None
    assert json.loads(row.payload) == json.loads(job.payload.replace("19.99", "18.00"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("priority", "many"), ("priority", "9" * 30), ("queue", ""), ("queue", "x" * 300),
        ("run_at", "tomorrow"), ("run_at", "0001-01-01T00:00"), ("run_at", "9999-12-31T23:59:59"),
        ("arguments", "{"), ("arguments", "[]"), ("arguments", '{"args": {}, "kwargs": {}}'),
        ("arguments", "[" * 100_000), ("arguments", '{"args": [], "kwargs": {}, "job": "os.system"}'),
    ],
)  # fmt: skip
def test_a_wrong_edit_changes_nothing_and_says_why(app: App, field: str, value: str) -> None:
    client, job = viewed(app), failed(app)
    mark = re.search(r'name="mark" value="(\w+)"', client.get(f"/jobs/{job.id}/edit").text)
    assert mark
    answer = post(client, f"/jobs/{job.id}/edit", {"mark": mark[1], field: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert app.store.get(job.id) == job


def test_many_are_changed_after_their_number_was_confirmed(app: App) -> None:
    client = viewed(app)
    asked = client.get("/jobs/confirm", params={"verb": "retry", "state": "failed"})
    assert "Retry 3 jobs?" in asked.text
    fields = {"verb": "retry", "state": "failed", "number": "3"}
    answer = post(client, "/jobs/bulk", fields)
    assert answer.headers["location"] == "/jobs?state=failed&notice=bulk_retry&n.count=3"
    assert "3 jobs are ready to run." in client.get(answer.headers["location"]).text
    [entry] = app.store.audit.read(action="jobs.retry")
    assert (entry.what, entry.detail) == ("state=failed", {"number": 3})


def test_a_number_that_changed_is_asked_again(app: App) -> None:
    client, job = viewed(app), failed(app)
    app.store.delete(Filter(ids=(job.id,)))
    fields = {"verb": "delete", "state": "failed", "number": "3"}
    answer = post(client, "/jobs/bulk", fields)
    assert answer.status_code == 409
    assert "Delete 2 jobs?" in answer.text
    assert app.store.count(Filter(states=(State.FAILED,))) == 2


def test_chosen_jobs_are_confirmed_without_a_script(app: App) -> None:
    client = viewed(app)
    ids = [row.id for row in app.store.find(Filter(states=(State.FAILED,)), limit=2)]
    asked = post(
        client, "/jobs/confirm", {"verb": "delete", "ids": [*map(str, ids), "x", "9" * 40]}
    )
    assert "Delete 2 jobs?" in asked.text
    done = post(client, "/jobs/bulk", {"verb": "delete", "ids": list(map(str, ids)), "number": "2"})
    assert done.status_code == 303
    assert app.store.count(Filter(states=(State.FAILED,))) == 1


def test_very_many_are_changed_by_a_job_that_shows_how_far_it_is(app: App) -> None:
    client, number = viewed(app), AT_ONCE + 50
    ends = clock.utc_now() + timedelta(days=9)
    app.store.insert(
        [
            NewJob(f"{n:032x}", "old", "old", 0, "{}", ends, clock.utc_now() - timedelta(days=1))
            for n in range(number)
        ]
    )
    assert "a job does it" in client.get("/jobs/confirm?verb=cancel&queue=old").text
    answer = post(client, "/jobs/bulk", {"verb": "cancel", "queue": "old", "number": str(number)})
    place = answer.headers["location"]
    assert f"0 of {number:,} jobs cancelled" in client.get(place).text
    job_id = int(place.rpartition("/")[2])
    [entry] = app.store.audit.read(action="jobs.cancel")
    assert entry.detail == {"number": number, "job": job_id}
    stored = one(app, ids=(job_id,))
    assert Bulk.stored(stored.payload).total == number
    late = NewJob("f" * 32, "old", "old", 0, "{}", ends, clock.utc_now())
    [after] = app.store.insert([late])
    assert app.worker(queues=["default"]).work_off(1) == (1, 0)
    assert app.store.count(Filter(queue="old", states=(State.CANCELLED,))) == number
    kept = app.store.get(after)
    assert kept is not None
    assert kept.state == State.SCHEDULED, "what was stored after it was confirmed is not touched"
    assert "It is done." in client.get(place).text


def test_queues_are_paused_and_resumed(app: App) -> None:
    client = viewed(app)
    post(client, "/queues/pause", {"queue": "mail"})
    assert "Queue mail is paused, and jobs wait in it" in client.get("/overview").text
    assert (
        app.store.claim(app.store.register("w", "h", 1, {}), Wanted(("mail",)), 1, clock.utc_now())
        == []
    )
    assert "already_paused" in post(client, "/queues/pause", {"queue": "mail"}).headers["location"]
    post(client, "/queues/resume", {"queue": "mail"})
    assert [row.action for row in app.store.audit.read()] == ["queues.resume", "queues.pause"]
    assert post(client, "/queues/pause", {"queue": ""}).status_code == 400


@pytest.mark.parametrize(
    ("roles", "allowed"),
    [
        (["jobs.view"], set()),
        (["jobs.operate"], {"retry", "cancel", "pause", "edit"}),
        (["jobs.administer"], {"retry", "cancel", "pause", "edit", "delete"}),
        (["texts.administer"], set()),
    ],
)
def test_each_action_needs_its_role(app: App, roles: list[str], allowed: set[str]) -> None:
    client, job = viewed(app, roles), failed(app)
    forms = {
        "retry": (f"/jobs/{job.id}/retry", {}),
        "cancel": ("/jobs/bulk", {"verb": "cancel", "ids": str(job.id), "number": "0"}),
        "edit": (f"/jobs/{job.id}/edit", {"mark": "x"}),
        "pause": ("/queues/pause", {"queue": "mail"}),
        "delete": (f"/jobs/{job.id}/delete", {}),
    }
    for verb, (path, data) in forms.items():
        refused = post(client, path, data).status_code == 403
        assert refused == (verb not in allowed), verb
    if "delete" not in allowed:
        bulk = post(client, "/jobs/bulk", {"verb": "delete", "state": "failed", "number": "3"})
        assert bulk.status_code == 403
        assert app.store.get(job.id) is not None


def test_arguments_are_edited_by_administrators_only(app: App) -> None:
    client, job = viewed(app, ["jobs.operate"]), failed(app)
    page = client.get(f"/jobs/{job.id}/edit").text
    assert 'name="arguments"' not in page
    mark = re.search(r'name="mark" value="(\w+)"', page)
    assert mark
    post(client, f"/jobs/{job.id}/edit", {"mark": mark[1], "arguments": "{}", "priority": "3"})
    row = app.store.get(job.id)
    assert row is not None
    assert (row.payload, row.priority) == (job.payload, 3)


def test_hostile_text_in_every_field_stays_text(app: App) -> None:
    now = clock.utc_now()
    payload = json.dumps(
        {"v": 1, "job": HOSTILE, "args": [HOSTILE], "kwargs": {HOSTILE: [HOSTILE]}}
    )
    [job_id] = app.store.insert(
        [
            NewJob(
                "a" * 32,
                HOSTILE,
                HOSTILE,
                -1000,
                payload,
                None,
                now,
                locale=HOSTILE,
                context='{"x": "<b>"}',
            )
        ]
    )
    ref = app.store.register(
        HOSTILE, HOSTILE, 1, {"queues": [HOSTILE], "running": [HOSTILE, 5, {"id": "x"}]}
    )
    [row] = app.store.claim(ref, Wanted((HOSTILE,)), 1, now)
    client = viewed(app)
    running = [client.get(path).text for path in ("/workers", "/overview", f"/jobs/{job_id}")]
    from bide.jobs.store import Failure

    app.store.fail(
        ref, Failure(row.id, row.lease, 1, HOSTILE, HOSTILE[:200], now, None), now, keep=True
    )
    paths = [
        "/jobs", f"/jobs/{job_id}", f"/jobs/{job_id}/edit", "/queues", "/jobs?by=error", "/jobs?by=name",
        f"/jobs/confirm?verb=retry&ids={job_id}", "/audit", "/overview",
    ]  # fmt: skip
    post(client, f"/jobs/{job_id}/retry")
    post(client, "/queues/pause", {"queue": HOSTILE})
    asked = dict.fromkeys(("q", "name", "queue", "worker", "locale", "error", "since", "state", "by", "after", "next", "notice", "n.count", "who", "action", "what", "before", "span", "token"), HOSTILE)  # fmt: skip
    pages = [client.get(path).text for path in paths]
    pages += [
        client.get(path, params=asked).text
        for path in ("/jobs", "/overview", "/audit", "/login", "/queues")
    ]
    pages += [client.get("/jobs", params={"q": HOSTILE, "by": "name"}).text]
    for page in [*running, *pages]:
        assert "<script>alert" not in page
        assert "49" not in re.findall(r"\{\{.*?\}\}", page)
    assert any("&lt;script&gt;alert(1)" in page for page in pages)


def test_a_payload_that_is_none_of_ours_is_shown_as_it_is(app: App) -> None:
    now, client = clock.utc_now(), viewed(app)
    odd = ["", "{", "[]", "--- !ruby/object:Foo {}", '{"args": 5}', "[" * 5000, '{"state": null, "of": {"$bide": 7}}',
           '{"v":1,"job":"x","args":[{"$bide":"datetime"},{"$bide":"record","key":5},{"$bide":[1]}]}']  # fmt: skip
    ids = app.store.insert(
        [NewJob(f"b{n:031x}", "odd", "odd", 0, text, None, now) for n, text in enumerate(odd)]
    )
    for job_id in ids:
        assert client.get(f"/jobs/{job_id}").status_code == 200
        assert client.get(f"/jobs/{job_id}/edit").status_code == 200
    assert client.get("/jobs?q=zzz").status_code == 200


def test_times_are_in_the_zone_of_the_viewer(app: App) -> None:
    client, job = viewed(app), failed(app)
    client.cookies.set("bide_zone", "Asia/Tokyo")
    from zoneinfo import ZoneInfo

    told = job.created_at.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%d %H:%M:%S")
    assert told in client.get(f"/jobs/{job.id}").text
    client.cookies.set("bide_zone", "../etc/passwd")
    assert 'data-zone="UTC"' in client.get("/jobs").text


def test_filters_live_in_the_address(app: App) -> None:
    client = viewed(app)
    page = client.get("/jobs", params={"state": "ready", "queue": "mail", "q": "Ada"}).text
    assert "mail.welcome" in page
    assert "shop.thumbnail" not in page
    assert 'value="Ada"' in page
    assert "state=failed&amp;queue=mail&amp;q=Ada" in page.replace(
        "queue=mail&amp;state=failed", "state=failed&amp;queue=mail"
    )
    wrong = client.get("/jobs?since=yesterday").text
    assert "A time is written as" in wrong
    assert "mail.welcome" not in wrong


def test_pages_lead_on_and_back(app: App) -> None:
    now = clock.utc_now()
    app.store.insert([NewJob(f"c{n:031x}", "many", "many", 0, "{}", None, now) for n in range(120)])
    client, path, seen = viewed(app), "/jobs?queue=many", 0
    while path and seen < 500:
        page = client.get(path).text
        seen += page.count('name="ids"')
        further = re.search(r'rel="next" href="([^"]+)"', page)
        path = further[1].replace("&amp;", "&") if further else ""
    assert seen == 120


def test_tables_that_are_missing_are_told(tmp_path: Any) -> None:
    app = App(f"sqlite:///{tmp_path / 'empty.db'}")
    answer = viewed(app).get("/overview")
    assert answer.status_code == 503
    assert "bide migrate" in answer.text
    app.close()


def test_a_database_that_is_away_is_told() -> None:
    app = App("postgresql://127.0.0.1:1/nothing")
    answer = viewed(app).get("/jobs")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    app.close()
