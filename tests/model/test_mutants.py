"""The proofs are able to fail: each mistake that they are there for turns one of them red (docs/proofs.md)."""

import os

import pytest
from hypothesis import Phase

from tests.escalations.actions.test_feed_writers import (
    a_rollback_leaves_no_hole,
    whoever_sees_an_event_sees_all_before_it,
)
from tests.escalations.actions.test_interleavings import two_pick_up_and_one_wins
from tests.escalations.live.test_hub import (
    test_an_overflow_becomes_a_single_ready_and_the_rest_follows as an_overflow_becomes_a_single_ready,
)
from tests.model import mutants
from tests.model.test_live_model import run

RUNS = 300  # what CI lets the model have; most are caught within ten
SEEDS = range(1, 1 + int(os.environ.get("MUTANT_SEEDS", "1")))

IN_THE_MODEL = [
    mutants.list_before_cursor,
    mutants.gap_ignored,
    mutants.drop_on_full_without_resync,
    mutants.ready_ignored,
    mutants.card_put_back_stays_where_it_is,
    mutants.no_heartbeat,
    mutants.announced_inside_the_transaction,
    mutants.sent_to_another_account,
]


@pytest.mark.parametrize("luck", SEEDS)
@pytest.mark.parametrize("mutant", IN_THE_MODEL, ids=lambda mutant: mutant.__name__)
def test_the_model_catches(mutant, luck, teams):
    with mutant(), pytest.raises(AssertionError) as caught:
        run(teams, runs=RUNS, luck=luck, phases=[Phase.generate])
    print(f"{mutant.__name__} {caught.value.__notes__[-1]}")  # `-s` shows it


@pytest.mark.parametrize(
    "mutant",
    [mutants.counter_outside_the_transaction, mutants.sequence_instead_of_counter],
    ids=lambda mutant: mutant.__name__,
)
@pytest.mark.parametrize("proof", [whoever_sees_an_event_sees_all_before_it, a_rollback_leaves_no_hole])
def test_two_writers_catch(mutant, proof, transactional_db, ann, ben):
    with mutant(), pytest.raises(AssertionError):
        proof(ann, ben)


def test_two_who_pick_up_catch_claim_as_read_then_write(transactional_db, ann, ben, olga):
    with mutants.claim_as_read_then_write(), pytest.raises(AssertionError):
        two_pick_up_and_one_wins(ann, ben, olga)


def test_a_full_mailbox_catches_drop_on_full_without_resync():
    """The hub's own test does so by itself, in milliseconds, and says what a mailbox gets instead."""
    with mutants.drop_on_full_without_resync(), pytest.raises(AssertionError):
        an_overflow_becomes_a_single_ready()
