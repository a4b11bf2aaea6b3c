"""Proof that nobody changed the trail: each chain followed from its first entry to its head, each hash made anew.

That happens here and not in the database, because whoever changed rows there could have changed its functions as well.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

from resolutionflow.accounts.models import Account
from resolutionflow.trail.models import INSTALLATION, Entry

ROWS_AT_ONCE = 2_000

# One statement, so that entries and heads are those of one moment, however busy the product is.
ROWS = """
    DECLARE trail NO SCROLL CURSOR FOR
    SELECT chain, head.seq, head.at, head.hash, entry.seq, entry.at, account_id, kind, actor_id, actor_name, about,
        details::text, entry.hash
    FROM (SELECT chain, seq, at, hash FROM trail_head) AS head FULL JOIN trail_entry AS entry USING (chain)
    WHERE %(chain)s::uuid IS NULL OR chain = %(chain)s
    ORDER BY chain, entry.seq
"""


class Row(NamedTuple):
    """An entry, beside the head of its chain. Either may be missing."""

    chain: UUID
    head_seq: int | None
    head_at: datetime | None
    head_hash: str | None
    seq: int | None
    at: datetime | None
    account: UUID | None
    kind: str
    actor: UUID | None
    actor_name: str
    about: str
    details: str  # JSON
    hash: str


class Proof(NamedTuple):
    """`ends` has of each chain its name, the number of its entries and its last hash; `breaches` a line for each."""

    ends: list[tuple[str, int, str]]
    breaches: list[str]


def prove(account: Account | None = None) -> Proof:
    """Follow one account's chain, or all."""
    slugs = dict(Account.objects.values_list("pk", "slug"))
    proof = Proof([], [])
    for chain, rows in itertools.groupby(_rows(account), key=lambda row: row.chain):
        name = slugs.get(chain, "unknown account" if chain.int else "installation")
        walk = Walk()
        for row in rows:
            walk.step(row)
        walk.arrive(row)
        proof.ends.append((name, walk.seq, walk.hash))
        proof.breaches.extend(f"{name}: {finding}" for finding in walk.findings)
    return proof


class Walk:
    """Along one chain, in the order of its positions. Goes on from what is there, so that each breach is told once."""

    def __init__(self) -> None:
        self.seq, self.hash = 0, ""
        self.at: datetime | None = None
        self.findings: list[str] = []

    def step(self, row: Row) -> None:
        if row.seq is None:
            return  # a head without entries
        if row.seq != self.seq + 1:
            self.findings.append(_missing(self.seq + 1, row.seq - 1))
        elif row.hash != hash_of(self.hash, row):
            self.findings.append(f"entry {row.seq} is not what was written there")
        elif row.account != (row.chain if row.chain.int else None):
            self.findings.append(f"entry {row.seq} belongs to another account")
        self.seq, self.hash, self.at = row.seq, row.hash, row.at

    def arrive(self, row: Row) -> None:
        """Whether the chain ends where its head says."""
        if row.head_seq is None:
            self.findings.append("the chain has lost its head")
        elif row.head_seq > self.seq:
            self.findings.append(_missing(self.seq + 1, row.head_seq))
        elif row.head_seq < self.seq:
            self.findings.append(f"the chain goes on beyond its end at {row.head_seq}")
        elif (row.head_hash, row.head_at) != (self.hash, self.at):
            self.findings.append(f"the end of the chain is not that of its last entry, {self.seq}")


def _missing(first: int, last: int) -> str:
    return f"entry {first} is missing" if first == last else f"entries {first} to {last} are missing"


def hash_of(before: str, row: Row) -> str:
    """SHA-256, in hexadecimal digits, of the hash before it (nothing before the first entry) and of what the row says.

    That is a JSON array, written as PostgreSQL does: `, ` and `: ` between its parts, keys by length, then by letter.
    """
    assert row.at is not None, "a row without a time is no entry"
    details = dict(sorted(json.loads(row.details).items(), key=lambda item: (len(item[0].encode()), item[0])))
    at = row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    actor = str(row.actor) if row.actor else None
    told = [before, str(row.chain), row.seq, at, row.kind, actor, row.actor_name, row.about, details]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def gone(kept: Iterable[tuple[str, int, str]], account: Account | None = None) -> list[str]:
    """Which ends of an earlier proof (name, number of entries, hash) are not there any more."""
    chains = {slug: pk for pk, slug in Account.objects.values_list("pk", "slug")} | {"installation": UUID(INSTALLATION)}
    nowhere = UUID(int=2**128 - 1)
    looked_at = [end for end in kept if account is None or end[0] == account.slug]
    return [
        f"{name}: entry {seq} is not the one that was there when this was written down"
        for name, seq, last in looked_at
        if not Entry.objects.filter(chain=chains.get(name, nowhere), seq=seq, hash=last).exists()
    ]


def _rows(account: Account | None) -> Iterator[Row]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(ROWS, {"chain": account.pk if account else None})
        while True:
            cursor.execute(f"FETCH {ROWS_AT_ONCE} FROM trail")
            portion = cursor.fetchall()
            if not portion:
                break
            yield from map(Row._make, portion)
        cursor.execute("CLOSE trail")
