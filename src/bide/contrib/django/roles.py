"""Permissions of Django's users as roles of the screens."""

from __future__ import annotations

from typing import Any

from bide.contrib.django.settings import ProjectSettings

#: Role -> the permission that gives it; settings.BIDE["ROLES"] changes it.
ROLES = {
    "jobs.view": "bide.view_job",
    "jobs.operate": "bide.change_job",
    "jobs.administer": "bide.delete_job",
    "texts.view": "bide.view_text",
    "texts.suggest": "bide.suggest_text",
    "texts.edit": "bide.change_text",
    "texts.approve": "bide.approve_text",
    "texts.administer": "bide.delete_text",
}


def roles_of(user: Any) -> list[str]:
    """What a user may do on the screens; superusers everything, inactive users nothing."""
    if not user.is_active:
        return []
    if user.is_superuser:
        return ["everything"]
    wanted = {**ROLES, **(ProjectSettings.load().roles or {})}
    return [role for role, permission in wanted.items() if user.has_perm(permission)]
