"""The first tables of jobs."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0001 of the jobs."""

    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [BideStep("jobs", "0001")]
