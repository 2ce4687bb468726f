"""Statistics per minute, and the list of what operators did."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0003 of the jobs."""

    dependencies = [("bide", "0003_jobs_0002")]
    operations = [BideStep("jobs", "0003")]
