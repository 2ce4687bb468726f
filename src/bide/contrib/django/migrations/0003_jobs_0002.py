"""Who waits for notifications, on PostgreSQL."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0002 of the jobs."""

    dependencies = [("bide", "0002_texts_0001")]
    operations = [BideStep("jobs", "0002")]
