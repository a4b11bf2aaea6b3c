"""Row security on what was solved for somebody, and on hand-offs by phone that were measured."""

from django.db import migrations

from resolutionflow.walls.policies import of_account


class Migration(migrations.Migration):
    atomic = False
    dependencies = [
        ("walls", "0007_drafts_and_attachments"),
        ("analytics", "0003_phone_handoffs"),
        ("escalations", "0013_closing_the_loop"),
    ]
    operations = [of_account("escalations_lesson"), of_account("analytics_phone_handoff")]
