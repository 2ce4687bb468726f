"""Where the screens are mounted."""

from __future__ import annotations

from django.urls import re_path

from bide.contrib.django.screens import screens

app_name = "bide"
urlpatterns = [re_path(r"^(?P<path>.*)$", screens, name="screens")]
