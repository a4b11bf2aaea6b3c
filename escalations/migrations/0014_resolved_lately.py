from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside the running product: sessions go on being written meanwhile."""

    atomic = False
    dependencies = [
        ("escalations", "0013_closing_the_loop"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="aisession",
            index=models.Index(
                condition=models.Q(("state", "resolved")),
                fields=["account", "-resolved_at"],
                name="session_resolved_recent",
            ),
        ),
    ]
