"""A project that asks which connections its tasks get; its databases come from the environment."""

import json
import os

import django

DATABASES = json.loads(os.environ["SUITE_DATABASES"])
SECRET_KEY = "connecting"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["bide.contrib.django", "asking"]
if django.VERSION < (6, 0):
    INSTALLED_APPS.append("django_tasks")
TASKS = {"default": {"BACKEND": "bide.contrib.django.TaskBackend"}}
BIDE = {"SLEEP_DELAY": 0.2}
LOGGING_CONFIG = None
