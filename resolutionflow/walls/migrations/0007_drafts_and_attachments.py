"""Row security on drafts and attachments, which belong to a session."""

from django.db import migrations

from resolutionflow.walls.policies import of_parents

CHILDREN = {
    "escalations_attachment": ("session_id", "escalations_aisession", "id"),
    "escalations_draft": ("session_id", "escalations_aisession", "id"),
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("walls", "0006_search"), ("escalations", "0012_drafts_and_attachments")]
    operations = [*of_parents(CHILDREN)]
