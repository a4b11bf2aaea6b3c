"""What the search looks in, kept by triggers, so that the previous release's code fills it as well while it still runs.

They write as the table's owner: the role of web and worker gets its rights only at the end of `migrate`. A session
whose row is not there yet is left to 0011_search_backfill.
"""

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

TRIGGER = """
CREATE FUNCTION escalations_find_{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    {body}
    RETURN NULL;
EXCEPTION WHEN program_limit_exceeded THEN  -- 1 MB of words: what is there already stays findable
    RETURN NULL;
END $$;
CREATE TRIGGER find_{name} AFTER {when} EXECUTE FUNCTION escalations_find_{name}();
"""

ADD = """UPDATE escalations_findable AS known SET words = known.words || escalations_words(came.said)
    FROM (SELECT session_id, string_agg({text}, ' ' ORDER BY {order}) AS said FROM added GROUP BY 1) AS came
    WHERE known.session_id = came.session_id;"""
AGAIN = """UPDATE escalations_findable
    SET head = escalations_head_of(session_id), words = escalations_words_of(session_id) WHERE session_id = NEW.{key};"""
CHANGED = "(NEW.title, NEW.client_name, NEW.ticket_ref, NEW.problem, NEW.resolution) IS DISTINCT FROM \
(OLD.title, OLD.client_name, OLD.ticket_ref, OLD.problem, OLD.resolution)"

EACH_STATEMENT = "REFERENCING NEW TABLE AS added FOR EACH STATEMENT"
TRIGGERS = [
    (
        "session",
        f"INSERT ON escalations_aisession {EACH_STATEMENT}",
        """INSERT INTO escalations_findable (session_id, account_id, head, words)
        SELECT id, account_id, escalations_head_of(id), escalations_words_of(id) FROM added ON CONFLICT DO NOTHING;""",
    ),
    (
        "changed_session",
        f"UPDATE ON escalations_aisession FOR EACH ROW WHEN ({CHANGED} OR NEW.pruned_at IS NOT NULL)",
        "IF NEW.pruned_at IS NOT NULL THEN DELETE FROM escalations_findable WHERE session_id = NEW.id; ELSE "  # noqa: S608
        + AGAIN.format(key="id")
        + " END IF;",
    ),
    (
        "message",
        f"INSERT ON escalations_message {EACH_STATEMENT}",
        ADD.format(text="body", order="number"),
    ),
    (
        "step",
        f"INSERT ON escalations_triedstep {EACH_STATEMENT}",
        ADD.format(text="concat_ws(' ', description, note)", order="position"),
    ),
    (
        "changed_message",
        "UPDATE OF body ON escalations_message FOR EACH ROW WHEN (NEW.body IS DISTINCT FROM OLD.body)",
        AGAIN.format(key="session_id"),
    ),
    (
        "changed_step",
        "UPDATE OF description, note ON escalations_triedstep FOR EACH ROW"
        " WHEN ((NEW.description, NEW.note) IS DISTINCT FROM (OLD.description, OLD.note))",
        AGAIN.format(key="session_id"),
    ),
]
TABLES = {
    **dict.fromkeys(["session", "changed_session"], "escalations_aisession"),
    **dict.fromkeys(["message", "changed_message"], "escalations_message"),
    **dict.fromkeys(["step", "changed_step"], "escalations_triedstep"),
}


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
            "ALTER TABLE escalations_findable ADD CONSTRAINT findable_of_session FOREIGN KEY (session_id)"
            " REFERENCES escalations_aisession (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
            migrations.RunSQL.noop,
        ),
        migrations.RunSQL(
            WORDS,
            "DROP FUNCTION escalations_head_of(uuid), escalations_words_of(uuid), escalations_words(text),"
            " escalations_apart(text)",
        ),
        *[
            migrations.RunSQL(
                TRIGGER.format(name=name, when=when, body=body),
                f"DROP TRIGGER find_{name} ON {TABLES[name]}; DROP FUNCTION escalations_find_{name}()",
            )
            for name, when, body in TRIGGERS
        ],
    ]
