"""The trail is appended to and never changed, and each kind of change to it is found."""

import hashlib
import json
import re

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from resolutionflow.trail import record
from resolutionflow.trail.models import Entry
from resolutionflow.trail.verification import prove

pytestmark = pytest.mark.django_db


def tamper(sql, *params):
    """Change rows behind the back of the triggers that would refuse it."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE trail_entry DISABLE TRIGGER USER; ALTER TABLE trail_head DISABLE TRIGGER USER")
        cursor.execute(sql, params)
        cursor.execute("ALTER TABLE trail_entry ENABLE TRIGGER USER; ALTER TABLE trail_head ENABLE TRIGGER USER")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@pytest.fixture
def written(ann, zoe, sam):
    """Five entries of Harbor IT, one of Summit Desk, one of the installation."""
    for number in range(1, 6):
        record(
            "picked_up", account=ann.account, by=ann, about=f"handoff {number}", session=f"s{number}", Ünicode="ä\n“"
        )
    record("signed_in", account=zoe.account, by=zoe)
    record("signed_in", account=None, by=sam)
    assert prove().breaches == []


def test_each_account_has_a_chain_of_its_own_and_the_installation_one_more(written):
    ends = [(name, entries) for name, entries, _ in prove().ends]
    assert sorted(ends) == [("harbor-it", 5), ("installation", 1), ("summit-desk", 1)]


def test_an_entry_keeps_the_name_that_its_actor_had(written, ann):
    ann.name = "Ann Other"
    ann.save()
    entry = Entry.objects.filter(actor=ann).first()
    assert (entry.actor_name, entry.kind_in_words) == ("Ann Abel", "Picked up")


def test_a_kind_that_nobody_wrote_down_is_refused(ann):
    with pytest.raises(ValueError, match="is no kind"):
        record("did_something", account=ann.account, by=ann)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE trail_entry SET actor_name = 'Somebody'",
        "DELETE FROM trail_entry",
        "DELETE FROM trail_head",
        "UPDATE trail_head SET seq = seq - 1",
        "UPDATE trail_head SET hash = repeat('0', 64)",
    ],
)
def test_raw_sql_can_only_append(sql, written):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert prove().breaches == []


def test_raw_sql_cannot_choose_place_time_or_hash(written, ann):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO trail_entry (chain, account_id, seq, at, hash, kind, actor_name, about, details)"
            " VALUES (gen_random_uuid(), %s, 2, '2001-01-01', 'x', 'resolved', '', '', '{}')",
            [ann.account.pk],
        )
    assert prove().breaches == []
    assert Entry.objects.for_account(ann.account).order_by("seq").last().kind == "resolved"


REHASHED = """UPDATE trail_entry AS entry SET about = 'nothing', hash = trail_hash(
    (SELECT hash FROM trail_entry WHERE chain = entry.chain AND seq = 2), chain, seq, at, kind, actor_id, actor_name,
    'nothing', details) WHERE seq = 3"""

SWAPPED = """UPDATE trail_entry SET seq = seq + 100 WHERE seq IN (4, 5);
    UPDATE trail_entry SET seq = 109 - seq WHERE seq > 100"""
ALL_GONE = "DELETE FROM trail_entry WHERE chain IN (SELECT chain FROM trail_head WHERE seq = 5)"
BEGINNING_GONE = ALL_GONE + " AND seq < 3"


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("UPDATE trail_entry SET actor_name = 'Somebody' WHERE seq = 3", "entry 3 is not what was written there"),
        ("UPDATE trail_entry SET at = at + interval '1 us' WHERE seq = 3", "entry 3 is not what was written there"),
        ("UPDATE trail_entry SET details = '{}' WHERE seq = 3", "entry 3 is not what was written there"),
        ("UPDATE trail_entry SET hash = repeat('0', 64) WHERE seq = 5", "entry 5 is not what was written there"),
        (REHASHED, "entry 4 is not what was written there"),
        (SWAPPED, "entry 4 is not what was written there"),
        ("DELETE FROM trail_entry WHERE seq = 3", "entry 3 is missing"),
        (BEGINNING_GONE, "entries 1 to 2 are missing"),
        ("DELETE FROM trail_entry WHERE seq > 3", "entries 4 to 5 are missing"),
        (ALL_GONE, "entries 1 to 5 are missing"),
        ("DELETE FROM trail_head WHERE seq = 5", "the chain has lost its head"),
        ("UPDATE trail_head SET seq = 4 WHERE seq = 5", "the chain goes on beyond its end at 4"),
        ("UPDATE trail_head SET hash = '' WHERE seq = 5", "the end of the chain is not that of its last entry, 5"),
        ("UPDATE trail_entry SET account_id = NULL WHERE seq = 2", "entry 2 belongs to another account"),
    ],
)
def test_each_way_to_change_it_is_found(sql, finding, written):
    tamper(sql)
    assert f"harbor-it: {finding}" in prove().breaches


def test_moving_an_entry_to_another_account_breaks_both_chains(written, zoe):
    tamper("UPDATE trail_entry SET account_id = %s, chain = %s, seq = 2 WHERE seq = 5", *[zoe.account.pk] * 2)
    assert sorted(prove().breaches) == [
        "harbor-it: entry 5 is missing",
        "summit-desk: entry 2 is not what was written there",
        "summit-desk: the chain goes on beyond its end at 1",
    ]


def test_who_shortens_chain_and_head_is_found_by_what_was_written_down_before(written, capsys, tmp_path):
    call_command("audit_trail", verify=True)
    kept = tmp_path / "kept"
    kept.write_text(capsys.readouterr().out)
    call_command("audit_trail", against=str(kept))
    tamper("DELETE FROM trail_entry WHERE seq = 5")
    tamper(
        "UPDATE trail_head AS head SET seq = 4, hash = entry.hash, at = entry.at FROM trail_entry AS entry"
        " WHERE entry.seq = 4 AND entry.chain = head.chain"
    )
    assert prove().breaches == []
    with pytest.raises(SystemExit):
        call_command("audit_trail", against=str(kept))
    assert "harbor-it: entry 5 is not the one" in capsys.readouterr().out


def test_the_command_says_what_it_proved_and_fails_where_it_cannot(written, capsys, ann):
    call_command("audit_trail", verify=True)
    said = capsys.readouterr().out
    assert re.search(r"^harbor-it 5 [0-9a-f]{64}$", said, re.MULTILINE)
    assert "7 entries: no breach" in said
    tamper("UPDATE trail_entry SET kind = 'resolved' WHERE seq = 2")
    with pytest.raises(SystemExit) as ended:
        call_command("audit_trail", verify=True)
    assert ended.value.code == 1
    assert capsys.readouterr().out == "harbor-it: entry 2 is not what was written there\n"
    call_command("audit_trail", verify=True, account="summit-desk")


def test_what_is_printed_is_enough_to_make_the_hashes_elsewhere(written, capsys):
    call_command("audit_trail", account="harbor-it", since="2020-01-01")
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["seq"] for entry in entries] == [1, 2, 3, 4, 5]
    before = ""
    for entry in entries:
        assert entry["hash"] == hash_from(entry, before)
        before = entry["hash"]


def hash_from(entry, before):
    """As docs/trail.md tells somebody who has nothing but the lines."""
    by = entry["by"] or {"id": None, "name": ""}
    details = {key: entry["details"][key] for key in sorted(entry["details"], key=lambda key: (len(key.encode()), key))}
    told = [before, entry["chain"], entry["seq"], entry["at"], entry["kind"], by["id"], by["name"], entry["about"]]
    return hashlib.sha256(json.dumps([*told, details], ensure_ascii=False).encode()).hexdigest()


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "2026-02-30"])
def test_what_is_no_day_is_said_so(since, db):
    with pytest.raises(CommandError, match="is no day"):
        call_command("audit_trail", since=since)
