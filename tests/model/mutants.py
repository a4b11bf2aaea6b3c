"""The mistakes that the live queue was designed against, each as a patch; all are caught."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

import psycopg
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse

from escalations.actions import feed, handoffs
from escalations.live import announce, groups
from escalations.live import hub as hub_module
from escalations.live.hub import Hub, Mailbox
from escalations.models import AISession, FeedEvent, Handoff
from escalations.views import queue as queue_views
from resolutionflow.accounts.models import Account
from tests.model.client import Card, Page

EVERYTHING = 2**62


@contextmanager
def patched(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    with ExitStack() as stack:
        for target, name, value in changes:
            stack.enter_context(mock.patch.object(target, name, value))
        yield


# The page


def list_before_cursor() -> Any:
    def show(request: HttpRequest) -> HttpResponse:
        listed = queue_views.live_cards.of_account(request.account, base=EVERYTHING)
        cursor = queue_views.cursor_of(request.account)
        return queue_views.render(request, "", {"cards": listed, "cursor": cursor, "base": cursor})

    return patched((queue_views, "show", show))


def gap_ignored() -> Any:
    def take(page: Page, frame: dict) -> None:
        if frame["cursor"] > page.cursor:
            page.cursor = frame["cursor"]
            page.apply(frame)

    return patched((Page, "take", take))


def ready_ignored() -> Any:
    compare = Page.compare
    return patched((Page, "compare", lambda page, cursor, patience: patience and compare(page, cursor, patience)))


def card_put_back_stays_where_it_is() -> Any:
    place = Page.place

    def stay(page: Page, card: Card, kind: str) -> None:
        shown = page.position_of(card)
        if shown is None:
            place(page, card, kind)
        else:
            page.cards[shown] = card

    return patched((Page, "place", stay))


# The hub


def no_heartbeat() -> Any:
    async def never(hub: Hub) -> None:
        await asyncio.get_running_loop().create_future()

    return patched((Hub, "_beat", never))


def drop_on_full_without_resync() -> Any:
    put = Mailbox.put

    def drop(mailbox: Mailbox, text: str, *, cursor: int | None) -> None:
        if len(mailbox._frames) < hub_module.MAILBOX_SIZE:
            put(mailbox, text, cursor=cursor)

    return patched((Mailbox, "put", drop))


# The announcement


def announced_inside_the_transaction() -> Any:
    at_once = SimpleNamespace(on_commit=lambda work, robust: work())
    return patched((feed, "transaction", at_once))


def sent_to_another_account() -> Any:
    def somebody(account_id: Any) -> str:
        return groups.queue_of(Account.objects.order_by("pk").values_list("pk", flat=True).first())

    return patched((announce, "groups", SimpleNamespace(queue_of=somebody, session=groups.session)))


# The feed

APPEND_AT = """
    WITH stamped AS (
        UPDATE escalations_handoff
        SET version = %(seq)s, queued_seq = CASE WHEN %(enters_the_queue)s THEN %(seq)s ELSE queued_seq END
        WHERE id = %(handoff)s
    )
    INSERT INTO feed_event (account_id, seq, kind, handoff_id, session_id, actor_id, data, at)
    VALUES (%(account)s, %(seq)s, %(kind)s, %(handoff)s, %(session)s, %(actor)s, '{}', clock_timestamp())
"""


def append_at(position: Callable[[Any], int]) -> Callable:
    """`feed.append`, but for where the position comes from."""

    def append(kind: FeedEvent.Kind, handoff: Handoff, *, by: Any, data: Any = None) -> None:
        seq = position(handoff.account_id)
        told = {
            "seq": seq,
            "account": handoff.account_id,
            "handoff": handoff.pk,
            "session": handoff.session_id,
            "kind": kind.value,
            "actor": by.pk if by else None,
            "enters_the_queue": kind in FeedEvent.ENTERS_THE_QUEUE,
        }
        with connection.cursor() as cursor:
            cursor.execute(APPEND_AT, told)
        event = feed.Appended(handoff.account_id, seq, kind.value, handoff.pk)
        feed.transaction.on_commit(lambda: announce.handoff(event), robust=True)

    return append


COUNT = """INSERT INTO feed_counter (account_id, seq) VALUES (%s, 1)
    ON CONFLICT (account_id) DO UPDATE SET seq = feed_counter.seq + 1 RETURNING seq"""


def counter_outside_the_transaction() -> Any:
    """The position is taken in a transaction of its own, so the counter's lock is gone before the event commits."""

    def position(account_id: Any) -> int:
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as outside:
            return outside.execute(COUNT, [account_id]).fetchone()[0]

    return patched((feed, "append", append_at(position)))


@contextmanager
def sequence_instead_of_counter() -> Iterator[None]:
    def position(account_id: Any) -> int:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('mutant_positions')")
            return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("CREATE SEQUENCE mutant_positions")
    try:
        with patched((feed, "append", append_at(position))):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP SEQUENCE mutant_positions")


# The claim


def claim_as_read_then_write() -> Any:
    def pick_up(handoff: Handoff, *, by: Any) -> Handoff:
        handoffs.reread(handoff)
        if not handoff.is_waiting or handoff.created_by == by:
            raise handoffs._why_not_picked_up(handoff, by)
        Handoff.objects.filter(pk=handoff.pk).update(state=Handoff.State.PICKED_UP, picked_up_by=by, picked_up_at=Now())
        handoffs.give(handoff.session, to=by, state=AISession.State.ACTIVE)
        feed.append(FeedEvent.Kind.PICKED_UP, handoff, by=by)
        return handoff

    return patched((handoffs, "pick_up", handoffs.in_transaction(pick_up)))
