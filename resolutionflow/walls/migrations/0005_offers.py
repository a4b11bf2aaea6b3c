"""Row security on what colleagues offer each other."""

from django.db import migrations

from resolutionflow.walls.policies import of_account


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("walls", "0004_notification_preferences"), ("escalations", "0008_lease")]
    operations = [of_account("escalations_offer")]
