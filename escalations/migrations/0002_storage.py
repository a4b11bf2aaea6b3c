"""Room for updates in place on the rows that every event rewrites."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("escalations", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE feed_counter SET (fillfactor = 50); ALTER TABLE escalations_handoff SET (fillfactor = 80);",
            "ALTER TABLE feed_counter RESET (fillfactor); ALTER TABLE escalations_handoff RESET (fillfactor);",
        )
    ]
