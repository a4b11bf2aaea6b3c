"""A delivery → the letter that goes out, with the handoff as it is now."""

from typing import Any

from django.conf import settings
from django.urls import reverse

from escalations import shapes
from escalations.models import Channel, Delivery, FeedEvent, Handoff
from escalations.notifications import titles
from escalations.notifications.letter import Letter
from escalations.notifications.sealed import unseal
from resolutionflow.accounts.models import User


def letter_of(delivery: Delivery) -> Letter:
    """Reads the database. Raises NotSent where a seal does not open any more."""
    channel, event = delivery.channel, delivery.event
    told: dict[str, Any] = {"id": str(delivery.pk), "kind": delivery.kind, "secret": ""}
    if channel:
        told |= {"way": channel.kind, "target": unseal(channel.sealed_target)}
        told["secret"] = unseal(channel.sealed_secret) if channel.sealed_secret else ""
    else:
        assert delivery.person is not None, "a constraint says so"
        told |= {"way": Channel.Kind.EMAIL.value, "target": delivery.person.email}
    return Letter(**told, **(_of_event(delivery, event) if event else _of_test(delivery)))


def _of_event(delivery: Delivery, event: FeedEvent) -> dict[str, Any]:
    handoff = Handoff.objects.for_context().get(pk=event.handoff_id)
    by = _who(event)
    title, link = titles.title(event.kind, handoff, by=by), link_to(handoff)
    body = {**_head(delivery), "cursor": event.seq, "at": event.at, "title": title, "url": link or None}
    if delivery.channel and delivery.channel.kind == Channel.Kind.TICKET:
        body |= {"ticket_ref": handoff.session.ticket_ref, "note": titles.note(event.kind, handoff, by=by)}
    else:
        body["handoff"] = shapes.handoff(handoff)
    text, urgency = titles.text(event.kind, handoff), {"priority": handoff.priority}
    return {"title": title, "text": text, "link": link, "body": body, "case": str(handoff.pk), **urgency}


def _who(event: FeedEvent) -> str:
    """Who did it, or whose lease was over."""
    who = event.actor or User.objects.filter(pk=event.data.get("returned_from")).first()
    return who.get_short_name() if who else "an operator"


def _of_test(delivery: Delivery) -> dict[str, Any]:
    title = f"Test from ResolutionFlow · {delivery.account.name}"
    text = "If you read this, escalations of this team get here."
    body = {**_head(delivery), "cursor": None, "at": delivery.created_at, "title": title, "url": None}
    return {"title": title, "text": text, "link": "", "body": body}


def _head(delivery: Delivery) -> dict[str, Any]:
    account = {"id": delivery.account_id, "name": delivery.account.name}
    return {"id": delivery.pk, "kind": delivery.kind, "account": account}


def link_to(handoff: Handoff) -> str:
    """Empty where nobody has said what the site's address is (SITE_URL)."""
    return f"{settings.SITES[0]}{reverse('escalations:handoff', args=[handoff.pk])}" if settings.SITES else ""
