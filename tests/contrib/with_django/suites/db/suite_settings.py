"""The project in which the suite of django-tasks-db runs; `django_tasks_db` is the shim beside it."""

import json
import os

import django

DATABASES = json.loads(os.environ["SUITE_DATABASES"])
SECRET_KEY = "suite"
USE_TZ = True
DEBUG = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "bide.contrib.django",
    "django_tasks_db",
    "tests",
]
if django.VERSION < (6, 0):
    INSTALLED_APPS.insert(0, "django_tasks")
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
BIDE = {"GRACE_TIME": 20}
LOGGING_CONFIG = None  # the commands add handlers where there are none
SILENCED_SYSTEM_CHECKS = ["admin.E403", "admin.E406", "admin.E408", "admin.E409", "admin.E410"]
