"""The second wall alone: whatever is asked, the database shows and takes only the rows of the account that is set."""

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import DatabaseError, ProgrammingError, connection, transaction

from escalations.actions import handoffs, offers, preferences, sessions, steps
from escalations.models import AISession, Assessment, Handoff, Message
from resolutionflow import walls
from resolutionflow.accounts.models import Account, Identity, IdentityProvider, Invitation, SignIn, User
from resolutionflow.walls import role
from tests.factories import HandoffFactory, SessionFactory, UserFactory
from tests.resolutionflow.matrix import sign_in
from tests.walled import in_the_walls

pytestmark = pytest.mark.django_db

# Tables without a wall, because no row in them is an account's.
NOBODYS = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "axes_accessattempt",
    "axes_accessattemptexpiration",
    "axes_accessfailurelog",
    "accounts_tries",
    "axes_accesslog",
    "django_content_type",
    "django_migrations",
    "django_session",
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
}
SIGN_INS = {
    "account_emailaddress",
    "account_emailconfirmation",
    "accounts_apitoken",
    "accounts_identity",
    "accounts_identityprovider",
    "accounts_invitation",
    "accounts_signin",
    "mfa_authenticator",
}
WALLED = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relrowsecurity"


def names(question: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return {name for (name,) in cursor.fetchall()}


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 one of our tables
        return cursor.fetchone()[0]


def a_team_at_work(engineer: User, colleague: User) -> Handoff:
    handoff = HandoffFactory(by=engineer, picker=colleague)
    offers.hand_to(handoff, by=colleague, to=manager_of(engineer))
    handoffs.release(handoff, by=colleague)
    sessions.post(SessionFactory(by=engineer), by=engineer, body="password: Hunter2-secret!")
    steps.record_step(SessionFactory(by=engineer), by=engineer, description="Restarted it", outcome="failed")
    sign_in.kept(engineer.account.name.split()[0], manager_of(engineer), engineer, colleague)
    preferences.of(engineer, engineer.account)
    LogEntry.objects.create(user=engineer, object_repr=engineer.name, action_flag=CHANGE)
    return handoff


def manager_of(engineer: User) -> User:
    return UserFactory(account=engineer.account, role="owner")


@pytest.fixture
def teams(ann, ben, zoe):
    colleague = User.objects.create_user("omar@summit.example", name="Omar Owens", account=zoe.account)
    return a_team_at_work(ann, ben), a_team_at_work(zoe, colleague)


def test_every_table_has_its_wall_or_is_known_to_need_none():
    assert names("SELECT tablename FROM pg_tables WHERE schemaname = 'public'") - NOBODYS == names(WALLED)
    assert names(f"{WALLED} AND NOT relforcerowsecurity") == set(), "a table's owner passes its wall"


def test_every_model_that_leads_to_an_account_has_its_wall():
    """So that a new table cannot be called nobody's by mistake."""
    walled = names(WALLED)
    for model in apps.get_models():
        if any(field.related_model in {Account, User} for field in model._meta.get_fields() if field.concrete):
            assert model._meta.db_table in walled


def test_nothing_said_shows_no_rows(teams):
    full = {table for table in names(WALLED) if count(table)}
    assert full >= {*SIGN_INS, "escalations_message", "feed_event"}, "first, there are rows to be seen"
    with in_the_walls(), walls.nowhere():
        assert {table for table in full if count(table)} == set()
    with in_the_walls(), walls.everywhere():
        assert {table for table in full if not count(table)} == set()


def test_an_account_sees_its_own_rows_whatever_is_asked(teams, ann, zoe):
    everything = {table: count(table) for table in names(WALLED)}
    with in_the_walls():
        with walls.within(ann.account_id):
            harbors = {table: count(table) for table in everything}
            assert set(User.objects.values_list("account", flat=True)) == {ann.account_id}
            assert set(Message.objects.values_list("session__account", flat=True)) == {ann.account_id}
            assert set(Assessment.objects.values_list("handoff__account", flat=True)) == {ann.account_id}
        with walls.within(zoe.account_id):
            summits = {table: count(table) for table in everything}
    assert all(harbors[table] and summits[table] for table in everything if everything[table])
    assert {table: harbors[table] + summits[table] for table in everything} == everything


def test_another_accounts_rows_cannot_be_written_changed_or_deleted(teams, ann, zoe):
    theirs = teams[1]
    with in_the_walls(), walls.within(ann.account_id):
        for refused in (
            lambda: AISession(account=zoe.account, title="Mine now").save(),
            lambda: Message.objects.create(session=theirs.session, number=99, kind="system", body="Hello"),
            lambda: Account.objects.create(name="Third", slug="third"),
            lambda: AISession.objects.all().update(account=zoe.account),
            lambda: User.objects.filter(pk=ann.pk).update(account=zoe.account),
            lambda: Authenticator.objects.create(user=zoe, type="totp", data={"secret": "mine"}),
            lambda: SignIn.objects.create(session_key="mine", user=zoe, browser="", address=""),
            lambda: Identity.objects.create(user=ann, account=zoe.account, issuer="https://mine.example", subject="1"),
            lambda: Invitation.objects.all().update(account=zoe.account),
        ):
            with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
                refused()
        assert not Handoff.objects.filter(pk=theirs.pk).update(reason="Read me")
        assert not Message.objects.filter(session=theirs.session).delete()[0]
        assert not Authenticator.objects.filter(user=zoe).delete()[0]
        assert not IdentityProvider.objects.filter(account=zoe.account).update(reach="admin")
    theirs.refresh_from_db()
    assert theirs.reason != "Read me"


def test_history_keeps_the_name_of_somebody_who_went_to_another_account(teams, ann, zoe):
    mine, harbor = teams[0], ann.account_id
    User.objects.filter(pk=ann.pk).update(account=zoe.account)
    with in_the_walls(), walls.within(harbor):
        assert Handoff.objects.for_context().get(pk=mine.pk).created_by.name == ann.name
        assert not User.objects.filter(pk=ann.pk).update(name="Somebody"), "read, not written"
        assert not User.objects.for_account(mine.account).filter(pk=ann.pk).exists()


def test_the_product_works_within_the_walls(ann, ben):
    """Every verb of a handoff's life, deferred triggers included."""
    with in_the_walls(), walls.within(ann.account_id):
        session = sessions.start(ann.account, by=ann, title="Printer", problem="It hangs.")
        handoff = handoffs.escalate(session, by=ann, reason="I am stuck.", priority="high")
        handoffs.pick_up(handoff, by=ben)
        handoffs.release(handoff, by=ben)
        handoffs.pick_up(handoff, by=ben)
        sessions.resolve(handoff.session, by=ben, resolution="Turned it off and on.")
        connection.check_constraints()
    assert Handoff.objects.get(pk=handoff.pk).state == "resolved"


def test_the_role_owns_nothing_and_cannot_get_round_the_wall(teams):
    own = f"'{role.name()}'::regrole"
    assert names(f"SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE oid = {own}") == {False}  # noqa: S608
    assert names(f"SELECT relname FROM pg_class WHERE relowner = {own}") == set()  # noqa: S608
    with in_the_walls():
        for forbidden in (
            "SET row_security = off; SELECT count(*) FROM escalations_message",
            "ALTER TABLE escalations_message DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE escalations_message NO FORCE ROW LEVEL SECURITY",
            "DROP POLICY wall ON escalations_message",
            "ALTER TABLE feed_event DISABLE TRIGGER ALL",
            "TRUNCATE escalations_message",
            "CREATE TABLE mine AS SELECT 1",
            f'ALTER ROLE "{role.name()}" BYPASSRLS',
            "DELETE FROM django_migrations",
        ):
            with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(forbidden)


def test_the_search_for_words_may_use_its_index(ann):
    with in_the_walls(), walls.within(ann.account_id), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM escalations_aisession WHERE knowledge @@ 'spooler'::tsquery")
        assert [line for (line,) in cursor.fetchall() if "Index Cond" in line and "@@" in line]
