"""Take runbook pages into the account's knowledge, each once; a page that says something new replaces its old self."""

import json
import uuid
from enum import Enum

from django.db import DataError, connection

from escalations.actions.transaction import in_transaction
from escalations.runbooks import BadPage, Page
from resolutionflow.accounts.models import Account

# One statement, so that of two imports at the same time none fails and none is lost.
KEEP = """
    INSERT INTO escalations_runbook AS known (id, account_id, path, title, tags, body, steps, knowledge)
    SELECT told.*,
        setweight(to_tsvector('english', %(title)s || ' ' || %(words)s), 'A')
        || setweight(to_tsvector('english', left(%(body)s, 20000)), 'B')
    FROM (VALUES (%(id)s::uuid, %(account)s::uuid, %(path)s, %(title)s, %(tags)s::jsonb, %(body)s, %(steps)s::jsonb))
        AS told(id, account, path, title, tags, body, steps)
    ON CONFLICT (account_id, path) DO UPDATE SET
        title = excluded.title, tags = excluded.tags, body = excluded.body, steps = excluded.steps,
        knowledge = excluded.knowledge, imported_at = clock_timestamp(), sketch = NULL, whole = NULL
    WHERE (known.title, known.tags, known.body, known.steps)
        IS DISTINCT FROM (excluded.title, excluded.tags, excluded.body, excluded.steps)
    RETURNING xmax = 0
"""


class Kept(Enum):
    NEW = "new"
    CHANGED = "changed"
    THERE_ALREADY = "there already"


@in_transaction
def keep(page: Page, *, account: Account) -> Kept:
    """Raises BadPage where the database refuses what it says."""
    told: dict[str, str | uuid.UUID] = {
        "id": uuid.uuid4(),
        "account": account.pk,
        "path": page.path,
        "title": page.title,
        "words": " ".join(page.tags),
        "tags": json.dumps(page.tags),
        "body": page.body,
        "steps": json.dumps(page.steps),
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(KEEP, told)
            row = cursor.fetchone()
    except DataError as error:
        raise BadPage(str(error).splitlines()[0]) from error
    if row is None:
        return Kept.THERE_ALREADY
    return Kept.NEW if row[0] else Kept.CHANGED
