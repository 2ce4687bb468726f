"""The models that read the tables; the steps before have made them, so nothing happens here."""

from django.db import migrations, models

from bide.contrib.django.settings import table

MODELS = {
    "Job": ("jobs", "job", "jobs"),
    "Attempt": ("attempts", "attempt", "attempts"),
    "Result": ("results", "result", "results"),
    "Worker": ("workers", "worker", "workers"),
    "Queue": ("queues", "paused queue", "paused queues"),
}


def created(name: str) -> migrations.CreateModel:
    """A model that Django does not manage, known by its key."""
    rows, one, many = MODELS[name]
    options = {"managed": False, "db_table": table(rows), "verbose_name": one}
    return migrations.CreateModel(
        name=name,
        fields=[("id", models.BigAutoField(primary_key=True))],
        options={**options, "verbose_name_plural": many},
    )


class Migration(migrations.Migration):
    """State only."""

    dependencies = [("bide", "0005_jobs_0004")]
    operations = [created(name) for name in MODELS]
