"""An index for single texts."""

from django.db import migrations

from bide.contrib.django.tables import BideStep


class Migration(migrations.Migration):
    """Step 0003 of the texts."""

    dependencies = [("bide", "0007_texts_0002")]
    operations = [BideStep("texts", "0003")]
