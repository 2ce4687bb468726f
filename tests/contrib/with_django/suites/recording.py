"""Django's test runner, which also writes what became of each test to the file SUITE_OUTCOMES."""

import json
import os
import unittest
from pathlib import Path

from django.test.runner import DiscoverRunner


class Result(unittest.TextTestResult):
    """Every test once, however many parts of it have failed."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.outcomes = {}

    def stopTest(self, test):
        super().stopTest(test)
        self.outcomes.setdefault(test.id(), "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.outcomes[test.id()] = "skipped"

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.outcomes[test.id()] = "failed"

    def addError(self, test, error):
        super().addError(test, error)
        self.outcomes[test.id()] = "failed"

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.outcomes[test.id()] = "failed"


class Recording(DiscoverRunner):
    def get_resultclass(self):
        return Result

    def suite_result(self, suite, result, **options):
        Path(os.environ["SUITE_OUTCOMES"]).write_text(json.dumps(result.outcomes))
        return super().suite_result(suite, result, **options)
