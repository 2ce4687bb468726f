"""The models that read the tables; the steps before have made them, so nothing happens here."""

from django.db import migrations, models

from bide.contrib.django.settings import table

MODELS: dict[str, tuple[str | None, str, str]] = {
    "Job": ("jobs", "job", "jobs"),
    "Attempt": ("attempts", "attempt", "attempts"),
    "Result": ("results", "result", "results"),
    "Worker": ("workers", "worker", "workers"),
    "Queue": ("queues", "paused queue", "paused queues"),
    "Text": (None, "text", "texts"),
}
PERMISSIONS = (("suggest_text", "Can suggest texts"), ("approve_text", "Can approve texts"))


def created(name: str) -> migrations.CreateModel:
    """A model that Django does not manage, known by its key."""
    rows, one, many = MODELS[name]
    options: dict[str, object] = {"managed": False, "verbose_name": one}
    options["db_table"] = "translations" if rows is None else table(rows)
    if name == "Text":
        options["permissions"] = PERMISSIONS
    return migrations.CreateModel(
        name=name,
        fields=[("id", models.BigAutoField(primary_key=True))],
        options={**options, "verbose_name_plural": many},
    )


class Migration(migrations.Migration):
    """State only."""

    dependencies = [("bide", "0005_jobs_0004")]
    operations = [created(name) for name in MODELS]
