"""Stores tasks of the project: `ask.py whose=40 whose_async=20`, or `ask.py whose=100 0.1`."""

import json
import sys

import django

django.setup()

from asking import tasks  # noqa: E402

counts = [word.split("=") for word in sys.argv[1:] if "=" in word]
arguments = [float(word) for word in sys.argv[1:] if "=" not in word]
ids = [
    getattr(tasks, name).enqueue(*arguments).id for name, count in counts for _ in range(int(count))
]
sys.stdout.write(json.dumps(ids))
