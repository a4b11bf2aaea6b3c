import resolutionflow.accounts.ticket_links
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_lease"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="ticket_url_template",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="An address with {ticket} or {number} in it. Empty: references are no links.",
                max_length=500,
                validators=[resolutionflow.accounts.ticket_links.validate_template],
                verbose_name="address of a ticket",
            ),
        ),
    ]
