from __future__ import annotations

import pytest

from bide.web.redaction import HIDDEN, Redaction
from bide.web.screens import REDACTED

redaction = Redaction(REDACTED)


@pytest.mark.parametrize(
    "text",
    [
        "token=S3CRET", "token: S3CRET", "token => S3CRET", "x_token_y := S3CRET", "TOKEN = 'a S3CRET'",
        "{'password': 'it\\'s S3CRET', 'a': 1}", '{"password": "a\\"S3CRET"}', "password='cut off S3CRET",
        '{"token": ["a", "S3CRET"]}', "{'secret': {'a': 'S3CRET'}}", "b'token': b'a S3CRET'",
        "Authorization: Bearer S3CRET", "authorization=Basic S3CRET", "Cookie: a=1; sid=S3CRET; b=S3CRET",
        "Set-Cookie: S3CRET; HttpOnly", "postgresql://app:S3CRET@host/db", "redis://:S3CRET@host",
        "amqp://u:p@S3CRET@host",
        "X-Api-Key: S3CRET", "apiKey=S3CRET", "PRIVATE-KEY=S3CRET", "accesskey: S3CRET", '{\\"token\\": \\"S3CRET',
    ],
)  # fmt: skip
def test_what_stands_behind_such_a_name_is_not_shown(text: str) -> None:
    shown = redaction.text(f"it failed: {text}\nline 2")
    assert "S3CRET" not in shown
    assert HIDDEN in shown
    assert shown.startswith("it failed: ")
    assert shown.endswith("line 2")


@pytest.mark.parametrize(
    "text",
    [
        "a pass word",
        "http://host:8080/path",
        "see http://host/a@b",
        "tokens",
        "key: value",
        "secret:",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert redaction.text(text) == text
    assert redaction.beginning(text) == text


def test_the_beginning_of_an_address_shows_no_part_of_its_password() -> None:
    assert redaction.beginning("at redis://u:S3CR") == f"at redis://u:{HIDDEN}"
    assert redaction.beginning("at http://host:8080") == "at http://host:8080"


def test_names_are_the_same_however_they_are_written() -> None:
    names = ("api_key", "apiKey", "X-Api-Key", "APIKEY", "user_password", "db-pwd")
    assert [*filter(redaction.hides, names)] == [*names]
    assert not redaction.hides("key")


def test_without_names_nothing_is_hidden() -> None:
    assert not Redaction([]).hides("password")
    assert Redaction([]).text("token=1 a://b:c@d") == "token=1 a://b:c@d"
    assert Redaction([]).beginning("a://b:cc") == "a://b:cc"


@pytest.mark.parametrize(
    "text", ["token", "token=", "token='", "token=a;", "://a:", "cookie: a=b; "]
)
def test_no_text_takes_long(text: str) -> None:
    """A pattern that went back over the text for each of its letters would take minutes."""
    redaction.beginning(text * 20_000)
