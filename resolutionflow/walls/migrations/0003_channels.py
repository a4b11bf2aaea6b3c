"""Row security on what is told outside: channels and deliveries."""

from django.db import migrations

from resolutionflow.walls.policies import of_account


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("walls", "0002_sign_in"), ("escalations", "0009_channels")]
    operations = [of_account("escalations_channel"), of_account("escalations_delivery")]
