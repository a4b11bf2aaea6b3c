"""Make findable what was written before 0011_search, some sessions at a time, while the product goes on writing."""

import itertools
import uuid

from django.db import migrations, transaction

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
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
