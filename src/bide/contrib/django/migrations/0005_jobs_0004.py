"""What jobs returned."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0004 of the jobs."""

    dependencies = [("bide", "0004_jobs_0003")]
    operations = [BideStep("jobs", "0004")]
