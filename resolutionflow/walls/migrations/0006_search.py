"""Row security on what the search looks in."""

from django.db import migrations

from resolutionflow.walls.policies import of_account


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("walls", "0005_offers"),
        ("escalations", "0011_search"),
    ]
    operations = [of_account("escalations_findable")]
