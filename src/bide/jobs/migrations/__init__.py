"""The steps that make and change the tables of jobs, one file each, in order."""

from __future__ import annotations

from typing import Final

from bide.db.migrate import Line

JOBS: Final = Line(package="bide.jobs.migrations", version_table="jobs_version")
