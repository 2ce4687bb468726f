"""Stores tasks of the project, or tells how all of them stand: `ask.py whose 40`, `ask.py`."""

import json
import sys

import django

django.setup()

from asking import tasks  # noqa: E402

from bide.contrib.django.models import Job  # noqa: E402
from bide.contrib.django.options import shown_id  # noqa: E402


def stored(name: str, count: int, arguments: list[float]) -> list[str]:
    task = getattr(tasks, name)
    return [task.enqueue(*arguments).id for _ in range(count)]


def standing() -> list[tuple[str, str, int, object]]:
    return [
        (shown_id(job.key), job.get_state_display(), job.failures.count(), returned(job))
        for job in Job.objects.select_related("result")
    ]


def returned(job: Job) -> object:
    kept = getattr(job, "result", None)
    return None if kept is None else json.loads(kept.value)


words = sys.argv[1:]
found = stored(words[0], int(words[1]), [float(one) for one in words[2:]]) if words else standing()
sys.stdout.write(json.dumps(found))
