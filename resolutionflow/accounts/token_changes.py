"""Tokens are made and revoked here, whichever door it was."""

from collections.abc import Collection
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from escalations.live.people import rights_changed
from resolutionflow.accounts.models import ApiToken, User
from resolutionflow.trail import record


@transaction.atomic
def make(
    user: User,
    *,
    by: User | None,
    name: str = "",
    scopes: Collection[str] = ApiToken.Scope.values,
    days: int | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its plain text, which nothing can show again.

    `by` made it; None: the operator, with the command. `days`: how long it is good; None for ever.
    """
    expires_at = timezone.now() + timedelta(days=days) if days else None
    token, plain = ApiToken.issue(user, name=name, scopes=scopes, expires_at=expires_at)
    how = {} if by else {"command": "api_token"}
    record("token_made", account=user.account, by=by, about=_named(token), scopes=token.scopes, **how)
    return token, plain


@transaction.atomic
def revoke_own(token: ApiToken, *, by: User) -> None:
    """One's own token; the audit trail says so."""
    if revoke(token):
        record("token_revoked", account=by.account, by=by, about=_named(token))


def revoke(token: ApiToken) -> bool:
    """From now on it is nobody's, and streams that came in with it end. False if it was revoked before."""
    revoked = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    if revoked:
        rights_changed(token.user_id)
    return bool(revoked)


def _named(token: ApiToken) -> str:
    return f"token {token.prefix} of person {token.user_id}"
