"""What the search looks in, and what becomes of texts there."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# Words are letters and digits. Without this "INC-0048213" were a word and a negative number, an address one word.
APART = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~“”„‘’‚«»‹›–—…•·→←✓°©®™\u00a0\u2009\u202f\u200b"

WORDS = f"""
CREATE FUNCTION escalations_apart(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN translate($1, '{APART.replace("'", "''")}', '{" " * len(APART)}');

CREATE FUNCTION escalations_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN to_tsvector('pg_catalog.simple'::regconfig, escalations_apart($1));

-- All of a session's texts; a tsvector ends at 1 MB. Its account stands among them, so that the index skips all others.
CREATE FUNCTION escalations_words_of(uuid) RETURNS tsvector LANGUAGE sql STABLE
    RETURN (SELECT array_to_tsvector(ARRAY['account' || replace(account_id::text, '-', '')]) || escalations_words(
        left(concat_ws(' ', title, client_name, ticket_ref, problem, resolution,
            (SELECT string_agg(concat_ws(' ', description, note), ' ' ORDER BY position)
                FROM escalations_triedstep WHERE session_id = $1),
            (SELECT string_agg(body, ' ' ORDER BY number) FROM escalations_message WHERE session_id = $1)
        ), 200000)) FROM escalations_aisession WHERE id = $1);

CREATE FUNCTION escalations_head_of(uuid) RETURNS tsvector LANGUAGE sql STABLE
    RETURN (SELECT escalations_words(concat_ws(' ', title, client_name, ticket_ref))
        FROM escalations_aisession WHERE id = $1);
"""  # noqa: S608 nothing of it comes from outside


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("escalations", "0010_notification_preferences"),
    ]

    operations = [
        migrations.CreateModel(
            name="Findable",
            fields=[
                (
                    "session",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="findable",
                        serialize=False,
                        to="escalations.aisession",
                    ),
                ),
                ("head", django.contrib.postgres.search.SearchVectorField()),
                ("words", django.contrib.postgres.search.SearchVectorField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.account"
                    ),
                ),
            ],
            options={
                "indexes": [django.contrib.postgres.indexes.GinIndex(fields=["words"], name="findable_words")],
            },
        ),
        migrations.RunSQL(
            WORDS,
            "DROP FUNCTION escalations_head_of(uuid), escalations_words_of(uuid), escalations_words(text),"
            " escalations_apart(text)",
        ),
    ]
