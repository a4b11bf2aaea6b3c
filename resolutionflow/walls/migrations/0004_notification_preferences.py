"""Row security on what people say about their notifications."""

from django.db import migrations

from resolutionflow.walls.policies import of_parent


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("walls", "0003_channels"),
        ("escalations", "0010_notification_preferences"),
    ]
    operations = [of_parent("escalations_notificationpreference", "user_id", "accounts_user")]
