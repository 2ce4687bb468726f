"""The project in which the suites of others run."""

import json
import os

DATABASES = json.loads(os.environ["SUITE_DATABASES"])
SECRET_KEY = "suite"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["bide.contrib.django", "tasks"]
TASKS = {"default": {"BACKEND": "bide.contrib.django.TaskBackend"}}
LOGGING_CONFIG = None
