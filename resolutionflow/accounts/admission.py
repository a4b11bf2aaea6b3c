"""With what somebody was let in, and whether that still holds.

A request is over in a moment; a socket or a stream stays, while its person signs out, gets another password or is
switched off. So each keeps the `Admission` that it came in with, and is asked for it again (`escalations.live.doors`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.models import Session
from django.http import HttpRequest, parse_cookie
from django.utils import timezone

from resolutionflow import walls
from resolutionflow.accounts.models import ApiToken, User
from resolutionflow.accounts.sessions import SessionStore
from resolutionflow.accounts.tokens import bearer_token, user_of_request


class Standing(Enum):
    """What has become of an admission."""

    HOLDS = "holds"
    SIGNED_OUT = "signed out"  # signed out, switched off, another password, a revoked token
    NOT_HERE = "not here"  # signed in still, but with another account, or without the role that this needs


@dataclass(frozen=True)
class Admission:
    """Who came in, and by what: a sign-in (its key and hash) or an API token (its digest)."""

    user_id: UUID
    account_id: UUID | None
    session_key: str | None = None
    auth_hash: str = ""
    token_digest: str | None = None
    for_engineers: bool = False  # whoever becomes a viewer has to leave

    @classmethod
    def by_sign_in(cls, user: User, session_key: str | None, *, for_engineers: bool = False) -> Self:
        return cls(
            user.pk,
            user.account_id,
            session_key=session_key,
            auth_hash=user.get_session_auth_hash(),
            for_engineers=for_engineers,
        )

    @classmethod
    def by_token(cls, user: User, plain: str, *, for_engineers: bool = False) -> Self:
        digest = ApiToken.digest_of(plain)
        return cls(user.pk, user.account_id, token_digest=digest, for_engineers=for_engineers)


def engineer_of(request: HttpRequest) -> tuple[User, Admission] | None:
    """Whose credentials a request carries, as the API sees it, and the admission of an engineer; None: nobody's.

    The request needs its `session`, for the cookie. Whether the person is an engineer at all is the caller's question.
    Raises MissingScope for a token that may not read.
    """
    with walls.everywhere():  # it is by the person that the account becomes known
        user = user_of_request(request, get_user(request), scope=ApiToken.Scope.READ)
    if user is None:
        return None
    plain = bearer_token(request.headers.get("Authorization"))
    if plain is not None:
        return user, Admission.by_token(user, plain, for_engineers=True)
    return user, Admission.by_sign_in(user, request.session.session_key, for_engineers=True)


@walls.everywhere()  # likewise
def signed_in(cookies: str) -> tuple[User, Admission] | None:
    """Whose sign-in a handshake's Cookie header names; None: nobody's. Two queries."""
    request = HttpRequest()
    request.session = SessionStore(parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    if not isinstance(user, User):
        return None
    return user, Admission.by_sign_in(user, request.session.session_key)


@walls.everywhere()
def look_again(admissions: Collection[Admission]) -> dict[Admission, Standing]:
    """How each of them stands now: at most three queries, however many there are, in however many accounts."""
    users = {each.user_id for each in admissions}
    keys = {each.session_key for each in admissions if each.session_key}
    digests = {each.token_digest for each in admissions if each.token_digest}
    people = User.objects.only("password", "is_active", "account_id", "role").in_bulk(users)
    sign_ins = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    tokens = ApiToken.objects.alive().filter(digest__in=digests)
    alive = {*sign_ins.values_list("session_key", flat=True), *tokens.values_list("digest", flat=True)}
    hashes = {pk: person.get_session_auth_hash() for pk, person in people.items()}
    return {each: _standing(each, people.get(each.user_id), hashes.get(each.user_id, ""), alive) for each in admissions}


def _standing(admission: Admission, person: User | None, auth_hash: str, alive: set[str]) -> Standing:
    """`alive` has the keys of the sign-ins and the digests of the tokens that are good still."""
    if person is None or not person.is_active or (admission.token_digest or admission.session_key) not in alive:
        return Standing.SIGNED_OUT
    if admission.token_digest is None and admission.auth_hash != auth_hash:
        return Standing.SIGNED_OUT
    if person.account_id != admission.account_id or (admission.for_engineers and not person.may_work):
        return Standing.NOT_HERE
    return Standing.HOLDS
