"""What is told outside, to whom, in which order, and when it is tried again.

Each event gets to a channel once, in the order of the feed: the first that waits is the only one that is tried, and
those behind it wait for it. What gets there twice (a worker was killed after it had sent, before it could say so) has
the same id both times. Only mail that calls for somebody is left out once nobody has to come.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from escalations.actions import jobs
from escalations.actions.refusals import Conflict
from escalations.actions.transaction import in_transaction
from escalations.models import Channel, Delivery, FeedEvent, Handoff
from escalations.models.channel import CALLS
from escalations.models.delivery import TEST
from escalations.notifications.letter import NotSent
from escalations.notifications.people import wanting
from escalations.notifications.sealed import unseal
from resolutionflow.accounts.models import Account, User

GIVE_UP = timedelta(hours=24)
PAUSES = [timedelta(seconds=s) for s in (10, 30, 60, 120, 300, 600, 1200, 1800)]  # then, each time:
LONGEST_PAUSE = timedelta(hours=1)
KEPT = timedelta(days=90)  # of what is over
OVERDUE = timedelta(minutes=2)
NEEDLESS = {
    Handoff.State.PICKED_UP: "Somebody picked it up before this was sent.",
    Handoff.State.TAKEN_BACK: "It was taken back before this was sent.",
    Handoff.State.RESOLVED: "It was resolved before this was sent.",
}
CLAIM = timedelta(seconds=60)  # longer than one delivery takes; a worker that was killed holds it for so long


def now() -> datetime:
    return timezone.now()


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many tries in a row that failed."""
    return PAUSES[attempts - 1] if attempts <= len(PAUSES) else LONGEST_PAUSE


def tell_later(handoff: Handoff, kind: FeedEvent.Kind) -> None:
    """Let the worker tell of the event that the caller's transaction is about to write."""
    if kind != FeedEvent.Kind.ASSESSED:
        jobs.defer(
            jobs.TELL,
            first=False,
            account_id=str(handoff.account_id),
            handoff_id=str(handoff.pk),
            kind=kind.value,
        )


@in_transaction
def fan_out(account_id: UUID) -> None:
    """A delivery for each event that a channel has not seen yet and wants."""
    channels = Channel.objects.filter(account_id=account_id, is_on=True).order_by("pk")
    for channel in channels.select_for_update(no_key=True):
        new = FeedEvent.objects.filter(account_id=account_id, seq__gt=channel.seen).order_by("seq")
        events = list(new.select_related("handoff__session", "handoff__created_by").defer("handoff__snapshot"))
        wanted = [event for event in events if channel.wants(event) and not _is_the_escalators(channel, event)]
        Delivery.objects.bulk_create([_new(event, channel=channel) for event in wanted], ignore_conflicts=True)
        if events:
            Channel.objects.filter(pk=channel.pk).update(seen=events[-1].seq)
        if wanted:
            _deliver_later(channel)


def _is_the_escalators(channel: Channel, event: FeedEvent) -> bool:
    """A mailbox that is the escalator's own: nobody is told what they did."""
    try:
        return (
            channel.kind == Channel.Kind.EMAIL
            and unseal(channel.sealed_target).lower() == event.handoff.created_by.email
        )
    except NotSent:
        return False


@in_transaction
def tell_people(handoff_id: UUID) -> None:
    """A letter to each person who wants to hear of this escalation by e-mail."""
    event = FeedEvent.objects.filter(handoff_id=handoff_id, kind=FeedEvent.Kind.CREATED).first()
    if event is None:
        return
    handoff = Handoff.objects.for_context().get(pk=handoff_id)
    for person in wanting(handoff, "email"):
        if person.pk != handoff.created_by_id and not Delivery.objects.filter(person=person, event=event).exists():
            delivery = _new(event, person=person)
            delivery.save(force_insert=True)
            one_later(delivery)


@in_transaction
def tell_after_all(handoff_id: UUID) -> None:
    """It waits again: send the mail that was left out when it did not, but to nobody who does not want it by now."""
    people = wanting(Handoff.objects.for_context().get(pk=handoff_id), "email")
    still_wanted = Q(channel__is_on=True) | Q(person__in=people)
    of_it = Delivery.objects.for_sending().filter(still_wanted, event__handoff=handoff_id, kind=FeedEvent.Kind.CREATED)
    # Also what waits: it may be left out at this very moment, by who saw the handoff as it was before.
    open_or_left_out = of_it.filter(state__in=[Delivery.State.WAITING, Delivery.State.NEEDLESS])
    for delivery in open_or_left_out.select_for_update(no_key=True, of=("self",)):
        if delivery.state == Delivery.State.NEEDLESS:
            _begin_again(delivery)


def _new(event: FeedEvent, *, channel: Channel | None = None, person: User | None = None) -> Delivery:
    return Delivery(
        account_id=event.account_id,
        channel=channel,
        person=person,
        event=event,
        seq=event.seq,
        kind=event.kind,
        next_try_at=now(),
        give_up_at=now() + GIVE_UP,
    )


def test(channel: Channel) -> Delivery:
    """One line to see whether it gets there. Tried once, and past whatever waits."""
    delivery = Delivery.objects.create(
        account_id=channel.account_id, channel=channel, kind=TEST, next_try_at=now(), give_up_at=now()
    )
    one_later(delivery)
    return delivery


def begin_anew(channel: Channel) -> None:
    """What waits for it is tried at once, and after short pauses again: it goes elsewhere now."""
    waiting = Delivery.objects.waiting().filter(channel=channel).exclude(kind=TEST)
    if waiting.update(attempts=0, error="", next_try_at=now()):
        _deliver_later(channel)


def claim(channel_id: UUID) -> bool:
    """Whether the caller may send there now; nobody else does until it is done (`free`) or gone."""
    unclaimed = Q(sending_until=None) | Q(sending_until__lt=now())
    return bool(Channel.objects.filter(unclaimed, pk=channel_id).update(sending_until=now() + CLAIM))


def next_claimed(channel_id: UUID) -> Delivery | None:
    """`next_of` for whoever has the claim, which holds on."""
    Channel.objects.filter(pk=channel_id).update(sending_until=now() + CLAIM)
    return next_of(channel_id)


def free(channel_id: UUID) -> None:
    Channel.objects.filter(pk=channel_id).update(sending_until=None)


def next_of(channel_id: UUID) -> Delivery | None:
    """What is to be sent there now; None if nothing waits, or the first that does is not due yet."""
    waiting = Delivery.objects.for_sending().waiting().filter(channel=channel_id, channel__is_on=True)
    first = waiting.exclude(kind=TEST).order_by("seq").first()
    return first if first and first.next_try_at <= now() else None


def one(delivery_id: UUID) -> Delivery | None:
    """This delivery, if it still waits and is due."""
    return Delivery.objects.for_sending().waiting().filter(pk=delivery_id, next_try_at__lte=now()).first()


@in_transaction
def leave_out(delivery: Delivery) -> bool:
    """Whether it is mail that calls for somebody, and nobody has to come any more: then that is noted."""
    if delivery.event is None or delivery.kind not in CALLS or not delivery.is_mail:
        return False
    kept = Delivery.objects.waiting().select_for_update(no_key=True).filter(pk=delivery.pk).first()
    state = Handoff.objects.values_list("state", flat=True).get(pk=delivery.event.handoff_id)
    if kept and state in NEEDLESS:
        kept.state, kept.error = Delivery.State.NEEDLESS, NEEDLESS[Handoff.State(state)]
        kept.save(update_fields=["state", "error"])
    return state in NEEDLESS


@in_transaction
def note(delivery: Delivery, *, error: str) -> bool:
    """What came of a try: sent, to be tried again, or given up. Whether the next one behind it may be sent now."""
    kept = Delivery.objects.select_for_update(no_key=True).filter(pk=delivery.pk).first()
    if kept is None or kept.state != Delivery.State.WAITING:
        return True
    kept.attempts += 1
    kept.error = error[:300]
    if not error:
        kept.state, kept.sent_at = Delivery.State.SENT, now()
    elif now() >= kept.give_up_at:
        kept.state = Delivery.State.DEAD
    else:
        pause = pause_after(kept.attempts)
        kept.next_try_at = now() + pause
        _again(kept, pause)
    kept.save()
    return kept.state != Delivery.State.WAITING


@in_transaction
def replay(delivery: Delivery) -> None:
    """Try one that was given up again, for as long as the first time. Raises Conflict for any other."""
    if delivery.channel and not delivery.channel.is_on:
        raise Conflict("Its channel is switched off.")
    if delivery.state != Delivery.State.DEAD or not _begin_again(delivery):
        raise Conflict("Only what was given up can be sent again.")


def _begin_again(delivery: Delivery) -> bool:
    """Whether it still was as it is known here, and is tried again now, for as long as the first time."""
    begun = {"attempts": 0, "error": "", "next_try_at": now(), "give_up_at": now() + GIVE_UP}
    if not Delivery.objects.filter(pk=delivery.pk, state=delivery.state).update(state=Delivery.State.WAITING, **begun):
        return False
    _again(delivery, None)
    return True


def _again(delivery: Delivery, pause: timedelta | None) -> None:
    if delivery.channel_id and not delivery.is_test:
        assert delivery.channel is not None
        _deliver_later(delivery.channel, after=pause)
    else:
        one_later(delivery, after=pause)


def later(channel_id: UUID, *, after: timedelta) -> None:
    """Look at this channel again after a while."""
    if channel := Channel.objects.filter(pk=channel_id).first():
        _deliver_later(channel, after=after)


def _deliver_later(channel: Channel, *, after: timedelta | None = None) -> None:
    told = {"account_id": str(channel.account_id), "channel_id": str(channel.pk)}
    jobs.defer(jobs.DELIVER, after=after, first=False, **told)


def one_later(delivery: Delivery, *, after: timedelta | None = None) -> None:
    told = {"account_id": str(delivery.account_id), "delivery_id": str(delivery.pk)}
    jobs.defer(jobs.DELIVER_ONE, after=after, first=False, **told)


# What no job is left for


def overdue() -> Iterable[Channel]:
    """Channels with something that waits and that nobody tries: its job failed with an error of ours, say."""
    late = Delivery.objects.waiting().filter(next_try_at__lt=now() - OVERDUE, channel__is_on=True).exclude(kind=TEST)
    return Channel.objects.filter(pk__in=late.values("channel"))


def pick_up_again() -> None:
    for channel in overdue():
        _deliver_later(channel)


def forget_old() -> None:
    """The log of what is over is kept for 90 days."""
    old = now() - KEPT
    Delivery.objects.exclude(state=Delivery.State.WAITING).filter(created_at__lt=old).delete()


def last_of(account: Account) -> dict[UUID, Delivery]:
    """The newest delivery of each of the account's channels."""
    newest = Delivery.objects.for_account(account).filter(channel__isnull=False)
    return {
        each.channel_id: each
        for each in newest.order_by("channel_id", "-created_at", "-seq").distinct("channel_id")
        if each.channel_id
    }
