"""The trail as rows. An entry is inserted and never changed; the database gives it its place, its time and its hash.

The hash of an entry is made of the one before it and of all that the entry says (`trail_hash`, in the migration), so a
row that was changed, taken out or put in between gives itself away. The head says where the chain ends: without it,
nobody could tell that the last entries are gone.
"""

import pgtrigger
from django.db import models

from resolutionflow.accounts.models import Account, OwnedQuerySet, User
from resolutionflow.trail.kinds import KINDS

INSTALLATION = "00000000-0000-0000-0000-000000000000"  # the chain that belongs to no account

# The head's lock orders the writers of a chain: whoever has it stands after all who had it before. Of several first
# ones all but one make no head. ON CONFLICT names no index, since either of the two unique ones may notice first.
CHAIN_ON = f"""
    NEW.chain := coalesce(NEW.account_id, '{INSTALLATION}'::uuid);
    SELECT * INTO head FROM trail_head WHERE chain = NEW.chain FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO trail_head (chain, account_id, seq, at, hash)
            VALUES (NEW.chain, NEW.account_id, 0, clock_timestamp(), '') ON CONFLICT DO NOTHING;
        SELECT * INTO head FROM trail_head WHERE chain = NEW.chain FOR NO KEY UPDATE;
    END IF;
    NEW.seq := head.seq + 1;
    NEW.at := greatest(clock_timestamp(), head.at);
    NEW.hash := trail_hash(
        head.hash, NEW.chain, NEW.seq, NEW.at, NEW.kind, NEW.actor_id, NEW.actor_name, NEW.about, NEW.details);
    UPDATE trail_head SET seq = NEW.seq, at = NEW.at, hash = NEW.hash WHERE chain = NEW.chain;
    RETURN NEW;
"""  # noqa: S608 a constant


class Head(models.Model):
    """Where a chain ends: position, time and hash of its last entry."""

    chain = models.UUIDField(primary_key=True)
    account = models.OneToOneField(Account, models.PROTECT, null=True, related_name="+")
    seq = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "trail_head"
        triggers = [
            pgtrigger.Protect(name="head_stays", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="head_goes_on",
                operation=pgtrigger.Update,
                when=pgtrigger.Before,
                func="""
                    IF NEW.seq <> OLD.seq + 1 OR NEW.chain <> OLD.chain THEN
                        RAISE EXCEPTION 'the trail goes from % to %, not to %', OLD.seq, OLD.seq + 1, NEW.seq;
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.chain}: {self.seq}"


class Entry(models.Model):
    """Who did what. `actor_name` is the name as it was then; the actor's row may be gone."""

    chain = models.UUIDField(editable=False)  # the account's id, or INSTALLATION
    seq = models.PositiveBigIntegerField(editable=False)
    at = models.DateTimeField(editable=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="+", db_index=False)
    kind = models.CharField(max_length=30)  # of KINDS
    actor = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False)
    actor_name = models.CharField(max_length=80, blank=True)
    about = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict)
    hash = models.CharField(max_length=64, editable=False)

    objects = OwnedQuerySet["Entry"].as_manager()

    class Meta:
        db_table = "trail_entry"
        verbose_name = "entry"
        verbose_name_plural = "entries"
        ordering = ["-at", "-seq"]
        indexes = [models.Index(fields=["account", "-at", "-seq"], name="trail_entry_recent")]
        constraints = [models.UniqueConstraint(fields=["chain", "seq"], name="trail_entry_position")]
        triggers = [
            pgtrigger.Protect(name="entries_stay", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="entries_are_chained",
                operation=pgtrigger.Insert,
                when=pgtrigger.Before,
                declare=[("head", "trail_head%ROWTYPE")],
                func=CHAIN_ON,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.kind_in_words}"

    @property
    def kind_in_words(self) -> str:
        return KINDS.get(self.kind, self.kind)
