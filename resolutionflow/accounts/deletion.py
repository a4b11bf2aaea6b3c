"""Remove one account with all that belongs to it, and nothing else."""

from collections.abc import Callable
from uuid import UUID

import pgtrigger
from django.contrib.sessions.models import Session
from django.db import DatabaseError, connection, transaction

from escalations import files
from escalations.live.people import rights_changed
from escalations.models import Attachment
from resolutionflow.accounts.belongings import Belongings
from resolutionflow.accounts.models import Account, ApiToken, User
from resolutionflow.trail import record
from resolutionflow.trail.verification import prove

TRIES = 3

# What belongs to it without a foreign key that says so.
BESIDES = [
    """DELETE FROM procrastinate_jobs WHERE status <> 'doing' AND (
        args ->> 'account_id' = %(account)s::text
        OR args ->> 'session_id' IN (SELECT id::text FROM escalations_aisession WHERE account_id = %(account)s)
        OR args ->> 'handoff_id' IN (SELECT id::text FROM escalations_handoff WHERE account_id = %(account)s))""",
    """DELETE FROM django_admin_log WHERE object_id = %(account)s::text
        OR object_id IN (SELECT id::text FROM accounts_user WHERE account_id = %(account)s)
        OR object_id IN (SELECT id::text FROM escalations_handoff WHERE account_id = %(account)s)
        OR object_id IN (SELECT id::text FROM escalations_delivery WHERE account_id = %(account)s)
        OR object_id IN (SELECT token.id::text FROM accounts_apitoken AS token
            JOIN accounts_user AS owner ON owner.id = user_id WHERE account_id = %(account)s)""",
    *(
        f"DELETE FROM {table} WHERE username IN (SELECT email FROM accounts_user WHERE account_id = %(account)s)"  # noqa: S608 constants
        for table in ("axes_accessattempt", "axes_accessfailurelog", "axes_accesslog")
    ),
]


def delete(account: Account, *, tell: Callable[[str], None]) -> None:
    """First nobody of the account is signed in any more, then everything goes in one transaction.

    Interrupted in between, the account is still there and can be deleted again. Raises DatabaseError where something
    still writes into it after three tries.
    """
    tell("Ending what its people have open …")
    _turn_out(account)
    attached = list(Attachment.objects.filter(session__account=account).values_list("pk", flat=True))
    for attempt in range(1, TRIES + 1):
        try:
            _delete(account, tell)
            break
        except DatabaseError:  # a job or a request that was under way
            if attempt == TRIES:
                raise
    tell("Removing its files …")
    files.remove(attached)  # what came meanwhile, or is left by a process that was killed here, the sweep finds


@transaction.atomic
def _turn_out(account: Account) -> None:
    people = User.objects.for_account(account)
    people.update(is_active=False)
    ApiToken.objects.for_account(account).delete()
    ids = set(map(str, people.values_list("pk", flat=True)))
    gone = [each.pk for each in Session.objects.iterator() if each.get_decoded().get("_auth_user_id") in ids]
    Session.objects.filter(pk__in=gone).delete()
    for person in people:
        rights_changed(person.pk)


@transaction.atomic
def _delete(account: Account, tell: Callable[[str], None]) -> None:
    ends = prove(account).ends
    belongings = Belongings()
    with pgtrigger.ignore(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(f"SELECT FROM accounts_account WHERE id = '{account.pk}' FOR UPDATE")
        for statement in BESIDES:
            cursor.execute(*_by_position(statement, account))
        for table in reversed(belongings.tables):
            tell(f"{table} …")
            rows = f"DELETE FROM {table} WHERE {belongings.whose(table)}"  # noqa: S608 names of the database's own
            cursor.execute(*_by_position(rows, account))
    entries, last = next(((entries, last) for _, entries, last in ends), (0, ""))
    record(
        "account_deleted",
        account=None,
        by=None,
        about=f"account {account.slug}",
        command="delete_account",
        trail_entries=entries,
        trail_ended_with=last,
    )


def _by_position(statement: str, account: Account) -> tuple[str, list[UUID]]:
    """While triggers are ignored, pgtrigger puts a statement of its own before each, which takes no named values."""
    return statement.replace("%(account)s", "%s"), [account.pk] * statement.count("%(account)s")
