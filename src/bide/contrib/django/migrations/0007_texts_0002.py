"""Drafts and what else editing texts needs."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0002 of the texts."""

    dependencies = [("bide", "0006_models")]
    operations = [BideStep("texts", "0002")]
