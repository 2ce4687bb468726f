"""The pytest plugin and bide.testing as users have them: in test suites of their own."""

from __future__ import annotations

import pytest

import bide.testing
from bide.testing.backend_contract import BackendContract
from bide.testing.store_contract import StoreContract

pytest_plugins = "pytester"

SUITE = """
import asyncio
import datetime
import pytest
import bide
from bide.testing import assert_enqueued, drain, enqueued, frozen_time, inline

@pytest.fixture
def ran():
    return []

@pytest.fixture
def welcome(app, ran):
    @app.job(name="welcome")
    def welcome(number):
        ran.append(number)
    return welcome

@pytest.fixture
def fetch(app, ran):
    @app.job(name="fetch")
    async def fetch(number):
        await asyncio.sleep(0)
        ran.append(number)
    return fetch

@pytest.mark.parametrize("number", range(4))
def test_each_test_has_a_database_of_its_own(app, welcome, number):
    assert enqueued(app) == []
    welcome.delay(number)
    assert_enqueued(welcome, args=[number], count=1)

def test_drain_runs_both_kinds_of_jobs(app, welcome, fetch, ran):
    welcome.delay(1)
    fetch.delay(2)
    assert drain(app) == (2, 0)
    assert ran == [1, 2]

def test_inline_runs_both_kinds_of_jobs(app, welcome, fetch, ran):
    with inline(app):
        welcome.delay(1)
        fetch.delay(2)
    assert ran == [1, 2]

def test_time_moves(app, welcome, ran):
    with frozen_time(datetime.datetime(2027, 1, 31, tzinfo=datetime.timezone.utc)) as time:
        welcome.using(run_at=datetime.timedelta(days=1)).delay(1)
        assert drain(app) == (0, 0)
        time.move(datetime.timedelta(days=1))
        assert drain(app) == (1, 0)
"""

ASYNC = """

@pytest.mark.asyncio
async def test_a_test_on_an_event_loop_drains_and_runs_inline(app, welcome, fetch, ran):
    await welcome.adelay(1)
    await fetch.adelay(2)
    assert drain(app) == (2, 0)
    with inline(app):
        await welcome.adelay(3)
        await fetch.adelay(4)
        fetch.delay(5)
    assert ran == [1, 2, 3, 4, 5]
"""

OWN = """
import pytest
import bide
from bide.testing import assert_enqueued, clear, drain

jobs = bide.App("sqlite:///own.db")

@jobs.job
def welcome(number): ...

@pytest.fixture(scope="session", autouse=True)
def tables():
    jobs.migrate()
    yield
    jobs.close()

@pytest.fixture
def app():
    clear(jobs)
    return jobs

@pytest.mark.parametrize("number", range(2))
def test_the_fixture_may_be_the_application_itself(app, number):
    assert app is jobs
    welcome.delay(number)
    assert_enqueued(welcome, args=[number], count=1)
"""


pytestmark = [pytest.mark.story, pytest.mark.timeout(240)]


def test_a_suite_with_an_app_of_its_own_replaces_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(OWN)
    pytester.runpytest_subprocess("-n", "0").assert_outcomes(passed=2)


def test_a_suite_uses_the_fixture_and_the_functions_in_parallel_and_on_event_loops(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(SUITE + ASYNC)
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.runpytest_subprocess("-n", "2").assert_outcomes(passed=8)


def test_the_plugin_can_be_left_out(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(app): ...")
    ran = pytester.runpytest_subprocess("-p", "no:bide")
    ran.stdout.fnmatch_lines(["*fixture 'app' not found*"])


def test_the_names_of_the_contracts_are_at_hand() -> None:
    assert bide.testing.StoreContract is StoreContract
    assert bide.testing.BackendContract is BackendContract
    assert [name for name in bide.testing.__all__ if not hasattr(bide.testing, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        bide.testing.Nothing  # noqa: B018
