"""Settings of the worker processes: the database of the tests."""

from suite_settings import *  # noqa: F403
from suite_settings import DATABASES

for known in DATABASES.values():
    known["NAME"] = known["TEST"]["NAME"]
