"""The tables of texts."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0001 of the texts."""

    dependencies = [("bide", "0001_jobs_0001")]
    operations = [BideStep("texts", "0001")]
