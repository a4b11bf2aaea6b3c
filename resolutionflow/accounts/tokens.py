"""Whose credentials are these? One answer for the API's calls and for its stream."""

from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils import timezone

from resolutionflow import walls
from resolutionflow.accounts.models import Account, ApiToken, User

NOTED_EVERY = timedelta(minutes=1)  # `last_used_at` is a hint for people, not worth a write per request


class SignedRequest(HttpRequest):
    """A request to the API after authentication: `auth` belongs to an account."""

    auth: User


def account_of(request: SignedRequest) -> Account:
    """The account that the caller belongs to."""
    account = request.auth.account
    assert account is not None, "authentication refuses people without an account"
    return account


class MissingScope(Exception):
    """The token is good, but not for this; `str()` says for what it is not."""

    def __init__(self, scope: str) -> None:
        super().__init__(f"This token lacks the scope “{scope}”. Make one that has it, or ask whoever made this one.")


def scope_of(method: str, path: str) -> ApiToken.Scope:
    """What a token needs for a call: the figures are a scope of their own, else reading and changing are two."""
    if path.startswith("/api/analytics/"):
        return ApiToken.Scope.ANALYTICS
    return ApiToken.Scope.READ if method in {"GET", "HEAD", "OPTIONS"} else ApiToken.Scope.WORK


def user_of_request(request: HttpRequest, signed_in: User | AnonymousUser, *, scope: str | None = None) -> User | None:
    """Whoever the bearer token names; without one, whoever the session cookie signed in. None: nobody.

    A bearer token that is unknown, revoked, expired or of somebody inactive is nobody, even beside a good cookie.
    Raises MissingScope for one that does not open `scope`; a cookie opens whatever its person may.
    """
    if bearer_token(request.headers.get("Authorization")) is None:
        return signed_in if isinstance(signed_in, User) and signed_in.is_active else None
    token = token_of_request(request)
    if token is None:
        return None
    if scope is not None and not token.opens(scope):
        raise MissingScope(scope)
    return token.user


def token_of_request(request: HttpRequest) -> ApiToken | None:
    """The token that a request carries, if it is alive. It is looked up once, whoever asks."""
    known: dict[str, ApiToken | None] = request.__dict__.setdefault("_tokens", {})
    plain = bearer_token(request.headers.get("Authorization")) or ""
    if plain not in known:
        known[plain] = token_of(plain)
    return known[plain]


def bearer_token(authorization: str | None) -> str | None:
    """The token in an Authorization header; None if the header is absent or of another scheme."""
    scheme, _, plain = (authorization or "").partition(" ")
    return plain.strip() if scheme.lower() == "bearer" else None


def token_of(plain: str) -> ApiToken | None:
    """The token that is alive and has this text, with its person; notes that it was used."""
    if not plain or not plain.isascii():  # no token of ours, and it may not even be encodable
        return None
    digest = ApiToken.digest_of(plain)
    with walls.everywhere():  # it is by the token that the account becomes known
        token = ApiToken.objects.alive().select_related("user__account").filter(digest=digest).first()
        if token is not None:
            _note_use(token)
    return token


def _note_use(token: ApiToken) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - NOTED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
