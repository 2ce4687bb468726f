"""A project with everything of Bide's switched on; its databases come from the environment."""

import json
import os

import django

DATABASES = json.loads(os.environ["SUITE_DATABASES"])
SECRET_KEY = "project"
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "project_urls"
ALLOWED_HOSTS = ["testserver", "localhost"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "bide.contrib.django",
    "shop",
]
if django.VERSION < (6, 0):
    INSTALLED_APPS.append("django_tasks")
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "bide.contrib.django.middleware.TextsMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
TASKS = {
    "default": {"BACKEND": "bide.contrib.django.TaskBackend", "QUEUES": ["default", "mail"]},
    "once": {
        "BACKEND": "bide.contrib.django.TaskBackend",
        "OPTIONS": {"max_attempts": 1, "keep_results": 60},
    },
    "late": {
        "BACKEND": "bide.contrib.django.TaskBackend",
        "OPTIONS": {"enqueue_on_commit": "other"},
    },
}
BIDE = {
    "I18N": "shop.texts.i18n",
    "GETTEXT": True,
    "MAX_ATTEMPTS": 3,
    "EMAIL_BACKEND": "django.core.mail.backends.locmem.EmailBackend",
    "EMAIL_QUEUE": "mail",
}
EMAIL_BACKEND = "bide.contrib.django.mail.EmailBackend"
LOGIN_URL = "/login/"
LOGGING_CONFIG = None
