from django.db import migrations, models


class Migration(migrations.Migration):
    """What was offered before bells told of offers counts as read."""

    dependencies = [
        ("escalations", "0016_scanned"),
    ]

    operations = [
        migrations.AddField(
            model_name="offer",
            name="read_by_asked",
            field=models.BooleanField(db_default=True, default=False),
        ),
        migrations.AddField(
            model_name="offer",
            name="read_by_asker",
            field=models.BooleanField(db_default=True, default=False),
        ),
        migrations.AlterField(
            model_name="offer",
            name="read_by_asked",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="offer",
            name="read_by_asker",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(condition=models.Q(("read_by_asked", False)), fields=["to"], name="offer_unread"),
        ),
        migrations.AddIndex(
            model_name="offer",
            index=models.Index(
                condition=models.Q(("outcome__in", ["accepted", "declined"]), ("read_by_asker", False)),
                fields=["by"],
                name="offer_answer_unread",
            ),
        ),
    ]
