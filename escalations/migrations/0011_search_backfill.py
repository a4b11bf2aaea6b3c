"""Triggers that keep what the search looks in, and then what was written before them, some sessions at a time.

The previous release's code writes meanwhile, and makes its texts findable with that. Triggers write as the table's
owner, because the role of web and worker gets its rights only at the end of `migrate`. Each is a transaction of its own:
with locks on several tables it and the product would stand in each other's way. What failed on the way is run again.
"""

import itertools
import uuid

from django.db import migrations, transaction

TRIGGER = """
CREATE OR REPLACE FUNCTION escalations_find_{name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    {body}
    RETURN NULL;
EXCEPTION WHEN program_limit_exceeded THEN  -- 1 MB of words: what is there already stays findable
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS find_{name} ON {table};
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
# That of new sessions comes last: what has a row from its beginning has the others as well.
TRIGGERS = [
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
    (
        "session",
        f"INSERT ON escalations_aisession {EACH_STATEMENT}",
        """INSERT INTO escalations_findable (session_id, account_id, head, words)
        SELECT id, account_id, escalations_head_of(id), escalations_words_of(id) FROM added ON CONFLICT DO NOTHING;""",
    ),
]
TABLES = {
    **dict.fromkeys(["session", "changed_session"], "escalations_aisession"),
    **dict.fromkeys(["message", "changed_message"], "escalations_message"),
    **dict.fromkeys(["step", "changed_step"], "escalations_triedstep"),
}

AT_ONCE = 100
# Locked, so that no message is added meanwhile that neither this nor the trigger would see. Who is at work on one now
# keeps it; it comes in the next round.
NEXT = """
    SELECT id FROM escalations_aisession AS session
    WHERE id > %s AND pruned_at IS NULL
        AND NOT EXISTS (SELECT FROM escalations_findable WHERE session_id = session.id)
    ORDER BY id LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
"""
FILL = """
    INSERT INTO escalations_findable (session_id, account_id, head, words)
    SELECT id, account_id, escalations_head_of(id), escalations_words_of(id)
    FROM escalations_aisession WHERE id = ANY(%s) ON CONFLICT DO NOTHING
"""
IS_LEFT = """
    SELECT EXISTS (SELECT FROM escalations_aisession AS session WHERE pruned_at IS NULL
        AND NOT EXISTS (SELECT FROM escalations_findable WHERE session_id = session.id))
"""
ROUNDS = 20


def fill(apps, schema_editor):
    connection = schema_editor.connection
    for _ in itertools.repeat(None, ROUNDS):
        last = uuid.UUID(int=0)
        while last:
            last = _fill_some(connection, after=last)
        with connection.cursor() as cursor:
            cursor.execute(IS_LEFT)
            if not cursor.fetchone()[0]:
                return
    raise RuntimeError("Some sessions were busy all the time. Please run migrate again.")


def _fill_some(connection, *, after):
    """The last session that was filled; None if there are no more."""
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(NEXT, [after, AT_ONCE])
        found = [key for (key,) in cursor.fetchall()]
        if found:
            cursor.execute(FILL, [found])
    return max(found, default=None)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("escalations", "0011_search")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE escalations_findable DROP CONSTRAINT IF EXISTS findable_of_session,"
            " ADD CONSTRAINT findable_of_session FOREIGN KEY (session_id) REFERENCES escalations_aisession (id)"
            " ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED",
            migrations.RunSQL.noop,
        ),
        *[
            migrations.RunSQL(
                [TRIGGER.format(name=name, table=TABLES[name], when=when, body=body)],
                f"DROP TRIGGER find_{name} ON {TABLES[name]}; DROP FUNCTION escalations_find_{name}()",
            )
            for name, when, body in TRIGGERS
        ],
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
