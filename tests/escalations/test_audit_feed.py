"""The audit finds each breach of the feed's invariants, and nothing where there is none."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from escalations import audit
from escalations.actions import assessments
from escalations.models import Handoff
from tests.factories import HandoffFactory, SessionFactory

pytestmark = pytest.mark.django_db


GUARDED = ("escalations_aisession", "escalations_handoff", "feed_counter", "feed_event")


def tamper(sql, *params):
    """Change rows behind the back of the triggers that would refuse it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with checks to come cannot be altered
        cursor.execute(";".join(f"ALTER TABLE {table} DISABLE TRIGGER USER" for table in GUARDED))
        cursor.execute(sql, params)
        cursor.execute(";".join(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in GUARDED))
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def busy(ann, ben, olga, zoe):
    """Two accounts in which everything has happened once; the handoffs by their state."""
    handoffs = {
        "waiting": HandoffFactory(by=ann),
        "picked_up": HandoffFactory(by=ann, picker=ben),
        "released": HandoffFactory(by=ben, picker=olga, released=True),
        "taken_back": HandoffFactory(by=olga, taken_back=True),
        "resolved": HandoffFactory(by=ann, picker=ben, resolved=True),
    }
    handoffs["elsewhere"] = HandoffFactory(by=zoe)
    assessments.store(handoffs["resolved"], data={"summary_prose": "…"}, made_by="playbook")
    assessments.store(handoffs["waiting"], data={"summary_prose": "…"}, made_by="playbook")
    return {name: Handoff.objects.get(pk=handoff.pk) for name, handoff in handoffs.items()}


def the_breach(slug="harbor-it"):
    (found,) = audit.breaches()
    assert found.startswith(f"{slug}: ")
    return found


def test_everything_that_the_product_does_is_clean(busy):
    assert audit.breaches() == []


def test_an_empty_database_is_clean(db):
    assert audit.breaches() == []


def test_a_session_without_a_handoff_is_clean(ann):
    SessionFactory(by=ann, resolved=True)
    assert audit.breaches() == []


# Dense


def test_a_missing_position_is_found(busy):
    assessed = busy["waiting"].version
    resolved = busy["resolved"].version
    assert resolved == assessed - 1
    tamper("DELETE FROM feed_event WHERE handoff_id = %s AND seq = %s", busy["resolved"].pk, resolved)
    tamper("UPDATE escalations_handoff SET version = %s WHERE id = %s", resolved - 1, busy["resolved"].pk)
    found = audit.breaches()
    assert f"harbor-it: dense: position {resolved} is missing" in found


def test_several_missing_positions_are_one_finding(busy):
    events = busy["picked_up"].version
    tamper("DELETE FROM feed_event WHERE handoff_id = %s", busy["picked_up"].pk)
    assert f"harbor-it: dense: positions {events - 1} to {events} are missing" in audit.breaches()


def test_a_lost_first_event_is_found(busy):
    tamper("DELETE FROM feed_event WHERE handoff_id = %s AND kind = 'handoff_created'", busy["waiting"].pk)
    assert any("did not create it" in finding for finding in audit.breaches())


def test_a_lost_last_event_is_found(busy):
    version = busy["waiting"].version
    tamper("DELETE FROM feed_event WHERE handoff_id = %s AND seq = %s", busy["waiting"].pk, version)
    tamper("UPDATE escalations_handoff SET version = queued_seq WHERE id = %s", busy["waiting"].pk)
    assert the_breach() == f"harbor-it: dense: the feed ends at {version - 1}, before its counter at {version}"


def test_an_event_beyond_the_counter_is_found(busy):
    tamper("UPDATE feed_counter SET seq = seq - 1 WHERE account_id = %s", busy["waiting"].account_id)
    assert "beyond its counter" in the_breach()


def test_a_lost_counter_is_found(busy):
    tamper("DELETE FROM feed_counter WHERE account_id = %s", busy["waiting"].account_id)
    assert "beyond its counter at 0" in the_breach()


def test_a_position_that_is_there_twice_is_found(busy):
    tamper("ALTER TABLE feed_event DROP CONSTRAINT feed_event_position")
    tamper(
        "INSERT INTO feed_event (account_id, seq, kind, handoff_id, session_id, actor_id, at, data)"
        " SELECT account_id, seq, kind, handoff_id, session_id, actor_id, at, data FROM feed_event"
        " WHERE handoff_id = %s AND kind = 'handoff_assessed'",
        busy["resolved"].pk,
    )
    assert "there twice" in the_breach()


def test_a_position_below_one_is_found(busy):
    first = busy["waiting"].queued_seq
    tamper("UPDATE feed_event SET seq = 0 WHERE handoff_id = %s AND seq = %s", busy["waiting"].pk, first)
    assert "harbor-it: dense: position 0 is below 1" in audit.breaches()


def test_a_clock_that_went_back_is_found(busy):
    tamper("UPDATE feed_event SET at = at - interval '1 hour' WHERE handoff_id = %s AND seq > 1", busy["picked_up"].pk)
    assert "is older than the one before it" in the_breach()


# Atomic


def test_a_version_that_is_not_the_last_event_is_found(busy):
    tamper("UPDATE escalations_handoff SET version = version + 1 WHERE id = %s", busy["picked_up"].pk)
    assert f"handoff {busy['picked_up'].pk} has version" in the_breach()


def test_a_wrong_place_in_the_queue_is_found(busy):
    tamper("UPDATE escalations_handoff SET queued_seq = 1 WHERE id = %s", busy["released"].pk)
    assert "has queued_seq 1, but last entered the queue at" in the_breach()


def test_a_handoff_without_events_is_found(busy):
    tamper("DELETE FROM feed_event WHERE handoff_id = %s", busy["elsewhere"].pk)
    tamper("UPDATE feed_counter SET seq = 0 WHERE account_id = %s", busy["elsewhere"].account_id)
    assert the_breach("summit-desk") == f"summit-desk: atomic: handoff {busy['elsewhere'].pk} has no event"


def test_a_state_that_no_event_tells_of_is_found(busy):
    tamper(
        "UPDATE escalations_handoff SET state = 'taken_back', taken_back_at = created_at WHERE id = %s",
        busy["elsewhere"].pk,
    )
    tamper("UPDATE escalations_aisession SET state = 'active' WHERE id = %s", busy["elsewhere"].session_id)
    assert "is taken_back, but its last change is handoff_created" in the_breach("summit-desk")


def test_a_story_that_cannot_be_is_found(busy):
    handoff = busy["resolved"]
    tamper(
        "UPDATE feed_event SET kind = 'handoff_assessed' WHERE handoff_id = %s AND kind = 'handoff_picked_up'",
        handoff.pk,
    )
    found = [finding for finding in audit.breaches() if "cannot follow" in finding]
    assert len(found) == 1
    assert "(handoff_resolved)" in found[0]
    assert "cannot follow handoff_created" in found[0]


def test_a_story_that_begins_without_its_creation_is_found(busy):
    tamper("UPDATE feed_event SET kind = 'handoff_released' WHERE handoff_id = %s", busy["elsewhere"].pk)
    assert "which did not create it" in the_breach("summit-desk")


def test_a_wrong_escalator_is_found(busy, olga):
    tamper("UPDATE escalations_handoff SET created_by_id = %s WHERE id = %s", olga.pk, busy["picked_up"].pk)
    assert "was not created by who event" in the_breach()


def test_a_wrong_picker_is_found(busy, olga):
    tamper("UPDATE escalations_handoff SET picked_up_by_id = %s WHERE id = %s", olga.pk, busy["resolved"].pk)
    assert "was not picked up by who event" in the_breach()


# Session


@pytest.mark.parametrize(
    ("handoff", "change", "words"),
    [
        ("waiting", "state = 'active'", "waits, but its session is active"),
        ("waiting", "state = 'abandoned'", "waits, but its session is abandoned"),
        ("picked_up", "state = 'abandoned'", "is picked up, but its session is abandoned"),
        ("picked_up", "holder_id = started_by_id", "its picker does not hold the session"),
        ("picked_up", "holder_id = NULL", "its picker does not hold the session"),
        ("taken_back", "state = 'escalated'", "is escalated, but no handoff of it waits"),
    ],
)
def test_a_session_that_disagrees_with_its_handoff_is_found(busy, handoff, change, words):
    tamper(f"UPDATE escalations_aisession SET {change} WHERE id = %s", busy[handoff].session_id)  # noqa: S608 from above
    assert words in the_breach()


# Tenant


def test_an_event_in_another_accounts_feed_is_found(busy, summit):
    tamper(
        "UPDATE feed_event SET account_id = %s, seq = 2 WHERE handoff_id = %s AND kind = 'handoff_assessed'",
        summit.pk,
        busy["waiting"].pk,
    )
    assert any("another account than its handoff" in finding for finding in audit.breaches())
    assert any("another account than its handoff" in finding for finding in audit.breaches(busy["waiting"].account))


def test_an_event_of_another_session_is_found(busy):
    tamper(
        "UPDATE feed_event SET session_id = %s WHERE handoff_id = %s AND kind = 'handoff_assessed'",
        busy["picked_up"].session_id,
        busy["waiting"].pk,
    )
    assert "tells of another session than its handoff" in the_breach()


def test_a_session_in_another_account_is_found(busy, summit):
    tamper("UPDATE escalations_aisession SET account_id = %s WHERE id = %s", summit.pk, busy["resolved"].session_id)
    assert "belongs to another account than its session" in the_breach()


def test_an_actor_of_another_account_is_found(busy, zoe):
    tamper(
        "UPDATE feed_event SET actor_id = %s WHERE handoff_id = %s AND kind = 'handoff_taken_back'",
        zoe.pk,
        busy["taken_back"].pk,
    )
    assert "the actor of event" in the_breach()


def test_somebody_who_moved_to_another_account_is_found(busy, ben, summit):
    tamper("UPDATE accounts_user SET account_id = %s WHERE id = %s", summit.pk, ben.pk)
    found = audit.breaches()
    assert any("somebody of another account" in finding for finding in found)


# The command


def test_the_command_says_that_all_is_well(busy, capsys):
    call_command("audit_feed")
    assert capsys.readouterr().out == "2 accounts, 14 events: no breach\n"


def test_the_command_looks_at_one_account(busy, capsys):
    tamper("UPDATE escalations_handoff SET version = 99 WHERE id = %s", busy["waiting"].pk)
    call_command("audit_feed", account="summit-desk")
    assert capsys.readouterr().out == "1 account, 1 event: no breach\n"


def test_the_command_names_each_breach_and_fails(busy, capsys):
    tamper("UPDATE escalations_handoff SET version = 99 WHERE state = 'waiting'")
    with pytest.raises(SystemExit) as end:
        call_command("audit_feed")
    assert end.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["harbor-it", "harbor-it", "summit-desk"]


def test_the_command_knows_no_other_account(busy):
    with pytest.raises(CommandError, match="The slugs are: harbor-it, summit-desk"):
        call_command("audit_feed", account="nope")


def test_a_snapshot_that_was_changed_behind_the_trigger(busy):
    tamper(
        "UPDATE escalations_handoff SET snapshot = jsonb_set(snapshot, '{session,title}', '\"Other\"') WHERE id = %s",
        busy["resolved"].pk,
    )
    assert the_breach() == f"harbor-it: frozen: the snapshot of handoff {busy['resolved'].pk} is not what was frozen"
