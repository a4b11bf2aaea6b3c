"""Add a channel, change it, switch it off and on, remove it. Owners and admins do; each is in the audit trail."""

import secrets
from collections.abc import Collection
from urllib.parse import urlsplit
from uuid import UUID

from escalations.actions import deliveries
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.actions.transaction import in_transaction
from escalations.models import Channel, Delivery
from escalations.models.feed import cursor_of
from escalations.notifications.sealed import seal
from resolutionflow.accounts.models import Account, User
from resolutionflow.trail import record

MOST = 20  # of one account
OFF = "The channel was switched off."


def require_manager(by: User) -> None:
    if not by.may_manage_people:
        raise NotAllowed("Only owners and admins of the account manage its channels.")


@in_transaction
def add(
    *, by: User, kind: str, name: str, target: str, kinds: Collection[str], priorities: Collection[str]
) -> tuple[Channel, str]:
    """The channel, and what its webhooks are signed with, which nothing can show again (empty for others).

    It is told what happens from now on. Raises NotAllowed, Conflict if the account has too many.
    """
    require_manager(by)
    assert by.account is not None, "a manager has one"
    Account.objects.select_for_update(no_key=True).get(pk=by.account.pk)  # one at a time
    if Channel.objects.for_account(by.account).count() >= MOST:
        raise Conflict(f"There are {MOST} channels already. Remove one that nobody needs.")
    secret = _new_secret() if kind in Channel.SIGNED else ""
    channel = Channel.objects.create(
        account=by.account,
        kind=kind,
        name=name,
        sealed_target=seal(target),
        hint=hint_of(kind, target),
        sealed_secret=seal(secret) if secret else "",
        kinds=list(kinds),
        priorities=list(priorities),
        seen=cursor_of(by.account),
        created_by=by,
    )
    _record(channel, by, done="channel added", way=kind)
    return channel, secret


@in_transaction
def edit(
    channel: Channel, *, by: User, name: str, target: str, kinds: Collection[str], priorities: Collection[str]
) -> None:
    """What it is called, which events it is told and, unless `target` is empty, where: there goes what waits, too.

    Its kind and its secret stay. Raises NotAllowed, Conflict if somebody has removed it.
    """
    require_manager(by)
    kept = _locked(channel)
    told = {"name": name, "kinds": list(kinds), "priorities": list(priorities)}
    changed = [field for field, value in told.items() if getattr(kept, field) != value]
    if target:
        changed.append("address")
        told |= {"sealed_target": seal(target), "hint": hint_of(kept.kind, target)}
    if not changed:
        return
    Channel.objects.filter(pk=kept.pk).update(**told)
    if target:
        deliveries.begin_anew(kept)
    _record(kept, by, done="channel changed", fields=", ".join(changed))


@in_transaction
def renew_secret(channel: Channel, *, by: User) -> str:
    """What its requests are signed with from now on, which nothing can show again. The old one is used no more.

    Raises NotAllowed, Conflict if somebody has removed it.
    """
    require_manager(by)
    assert channel.is_signed, "others have none"
    secret = _new_secret()
    Channel.objects.filter(pk=_locked(channel).pk).update(sealed_secret=seal(secret))
    _record(channel, by, done="channel secret renewed")
    return secret


@in_transaction
def switch(channel: Channel, *, by: User, on: bool) -> None:
    """Off: nothing is sent, what waits is given up, and what happens meanwhile is not told later."""
    require_manager(by)
    seen = {"seen": cursor_of(channel.account)} if on else {}
    if not Channel.objects.filter(pk=channel.pk, is_on=not on).update(is_on=on, **seen):
        return
    if not on:
        waiting = Delivery.objects.waiting().filter(channel=channel)
        waiting.update(state=Delivery.State.DEAD, error=OFF)
    _record(channel, by, done=f"channel switched {'on' if on else 'off'}")


@in_transaction
def remove(channel: Channel, *, by: User) -> None:
    """With the log of what went there."""
    require_manager(by)
    pk: UUID = channel.pk
    channel.delete()
    channel.pk = pk
    _record(channel, by, done="channel removed")


@in_transaction
def send_test(channel: Channel, *, by: User) -> Delivery:
    """Raises Conflict while it is switched off, or while the last test is on its way."""
    require_manager(by)
    if not _locked(channel).is_on:
        raise Conflict("It is switched off. Switch it on to test it.")
    if Delivery.objects.waiting().filter(channel=channel, kind="test").exists():
        raise Conflict("A test is on its way already.")
    return deliveries.test(channel)


def hint_of(kind: str, target: str) -> str:
    """As much of a target as people may see: where, and the end of what opens it."""
    if kind == Channel.Kind.EMAIL:
        return target[:120]
    host = urlsplit(target).hostname or ""
    return f"{host[:100]}\N{NO-BREAK SPACE}…{target[-4:]}" if host else f"…{target[-4:]}"


def _locked(channel: Channel) -> Channel:
    """As it is now, and nobody else's to change until the verb is done."""
    kept = Channel.objects.select_for_update(no_key=True).filter(pk=channel.pk).first()
    if kept is None:
        raise Conflict("This channel was removed meanwhile.")
    return kept


def _new_secret() -> str:
    return secrets.token_hex(32)


def _record(channel: Channel, by: User, **details: str) -> None:
    record("settings_changed", account=channel.account, by=by, about=f"channel {channel.pk}", **details)
