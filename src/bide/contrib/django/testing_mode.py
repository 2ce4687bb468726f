"""Whether this process runs tests of Django."""

from __future__ import annotations


def in_tests() -> bool:
    """Whether Django's test environment is set up in this process."""
    from django.test.utils import _TestState

    return hasattr(_TestState, "saved_data")
