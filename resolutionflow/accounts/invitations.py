"""Ask somebody to join: a link that works for seven days and once, and can be withdrawn."""

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import timezone

from escalations.actions.refusals import Conflict, NotAllowed
from escalations.actions.transaction import in_transaction
from resolutionflow.accounts import mail
from resolutionflow.accounts.models import Invitation, User
from resolutionflow.accounts.people import require_manager
from resolutionflow.trail import record

VALID = timedelta(days=7)
MOST_A_DAY = 50  # per account: the letters go to whatever address somebody types


@in_transaction
def invite(*, by: User, email: str, role: str) -> tuple[Invitation, str]:
    """A new invitation and the secret of its link, which nothing can show again. An earlier one of the address ends.

    Raises NotAllowed beyond one's own role, Conflict for somebody who is here already and after 50 of a day.
    """
    require_manager(by)
    assert by.account is not None, "whoever manages people has an account"
    if not by.may_grant(role):
        raise NotAllowed("You cannot give a role that may more than your own.")
    if colleague := User.objects.for_account(by.account).filter(email=email).first():
        raise Conflict(f"{colleague.name} is among the account's people already.")
    ours = Invitation.objects.for_account(by.account)
    if ours.filter(created_at__gt=timezone.now() - timedelta(days=1)).count() >= MOST_A_DAY:
        raise Conflict(f"More than {MOST_A_DAY} invitations in a day are refused. Please go on tomorrow.")
    ours.filter(email=email, accepted_at=None, revoked_at=None).update(revoked_at=Now())
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        account=by.account,
        email=email,
        role=role,
        invited_by=by,
        digest=_digest(secret),
        expires_at=timezone.now() + VALID,
    )
    record("invited", account=by.account, by=by, about=f"invitation {invitation.pk}", role=role)
    return invitation, secret


def write_to(invitation: Invitation, address: str) -> None:
    """Send the link, where mail is set up."""
    body = render_to_string("accounts/email/invitation.txt", {"invitation": invitation, "address": address})
    mail.send_later(invitation.email, f"{invitation.account} invites you to ResolutionFlow", body)


@in_transaction
def revoke(invitation: Invitation, *, by: User) -> None:
    """Raises Conflict if it was accepted or withdrawn before."""
    require_manager(by)
    if not Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None).update(revoked_at=Now()):
        raise Conflict("This invitation is over already.")
    record("invited", account=invitation.account, by=by, about=f"invitation {invitation.pk}", withdrawn=True)


def find(secret: str) -> Invitation | None:
    """The open invitation with this secret, if whoever sent it may still invite to that role."""
    found = Invitation.objects.open().select_related("account", "invited_by").filter(digest=_digest(secret)).first()
    return found if found and found.invited_by.may_grant(found.role) else None


@in_transaction
def accept(invitation: Invitation, *, name: str, password: str | None) -> User:
    """The new person; without a password if they sign in elsewhere.

    Raises Conflict if the invitation is over, or somebody signs in with its address already.
    """
    if not Invitation.objects.open().filter(pk=invitation.pk).update(accepted_at=Now()):
        raise Conflict("This invitation is over.")
    person = User(email=invitation.email, name=name, role=invitation.role, account=invitation.account)
    person.set_password(password)
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise Conflict(
            "Somebody signs in with this e-mail address already. Ask for an invitation to another."
        ) from None
    about = f"invitation {invitation.pk}"
    record("invitation_accepted", account=invitation.account, by=person, about=about, role=person.role)
    return person


def _digest(secret: str) -> str:
    """SHA-256 without salt: the secret is 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
