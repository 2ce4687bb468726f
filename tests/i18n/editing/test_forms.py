"""The plural forms that an editor is shown."""

from __future__ import annotations

import pytest

from bide.i18n.editing.forms import forms_of


@pytest.mark.parametrize(("locale", "complete"), [
    ("en", {"one"}), ("ar", {"zero", "one", "two"}), ("cs", {"one", "few"}), ("fr", set()),
    ("sl", set()), ("ja", set()), ("es", {"one"}),
])  # fmt: skip
def test_a_form_says_whether_its_examples_are_all_numbers_that_it_has(
    locale: str, complete: set[str]
) -> None:
    assert {form.name for form in forms_of(locale) if form.complete} == complete
