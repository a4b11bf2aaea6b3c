"""Sign in with an account's own identity provider (OpenID Connect, authorization code with PKCE).

`begin` makes the address to send the browser to and what to remember meanwhile; `finish` turns what the browser comes
back with into claims that the provider has signed for us, for this very attempt; `person_of` says who that is here.
"""

import base64
import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import urlencode

import jwt
from cryptography.fernet import InvalidToken
from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare

from escalations.actions.refusals import Conflict, NotAllowed
from resolutionflow import sealing
from resolutionflow.accounts import invitations
from resolutionflow.accounts.models import RANK, Identity, IdentityProvider, Invitation, User
from resolutionflow.accounts.outside import Unreachable, fetch

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]  # none that a shared secret could forge
LEEWAY = 60  # seconds that the clocks may differ
PURPOSE = "client secrets"


@dataclass(frozen=True)
class Attempt:
    """One sign-in under way; stays in the browser's session."""

    slug: str
    state: str
    nonce: str
    verifier: str

    @classmethod
    def new(cls, slug: str) -> Self:
        return cls(slug, secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))

    def kept(self) -> dict[str, str]:
        return asdict(self)


def seal_secret(plain: str) -> str:
    return sealing.seal(PURPOSE).encrypt(plain.encode()).decode()


def discover(issuer: str) -> dict[str, Any]:
    """The provider's own description of itself. Raises Unreachable, also if it describes another one."""
    told = fetch(issuer.rstrip("/") + "/.well-known/openid-configuration")
    needed = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    if not all(isinstance(told.get(each), str) for each in needed) or told["issuer"] != issuer:
        raise Unreachable(
            "It does not describe itself as this issuer. Copy the issuer exactly, mind a slash at the end."
        )
    if not told["authorization_endpoint"].startswith(("https://", "http://")):
        raise Unreachable("Its sign-in page has no web address.")
    return told


def begin(provider: IdentityProvider, attempt: Attempt, *, back: str) -> str:
    """Where to send the browser, which comes `back` to that address. Raises Unreachable."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": back,
        "scope": "openid email profile",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    page: str = discover(provider.issuer)["authorization_endpoint"]
    return f"{page}{'&' if '?' in page else '?'}{urlencode(asked)}"


def finish(provider: IdentityProvider, attempt: Attempt, told: dict[str, str], *, back: str) -> dict[str, Any]:
    """The claims about whoever signed in there. Raises NotAllowed or Unreachable."""
    if (
        not constant_time_compare(told.get("state", ""), attempt.state)
        or told.get("iss", provider.issuer) != provider.issuer
    ):
        raise NotAllowed("This sign-in was not begun in this browser, or it is over. Please begin again.")
    if "error" in told or not told.get("code"):
        raise NotAllowed(f"{provider.name} did not sign you in.")
    about = discover(provider.issuer)
    form = {
        "grant_type": "authorization_code",
        "code": told["code"],
        "redirect_uri": back,
        "code_verifier": attempt.verifier,
    }
    auth = (provider.client_id, _client_secret(provider))
    if "client_secret_basic" not in about.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
        form |= {"client_id": auth[0], "client_secret": auth[1]}
        answer = fetch(about["token_endpoint"], form=form)
    else:
        answer = fetch(about["token_endpoint"], form=form, auth=auth)
    return _claims(provider, attempt, str(answer.get("id_token", "")), fetch(about["jwks_uri"]))


def _client_secret(provider: IdentityProvider) -> str:
    try:
        return sealing.seal(PURPOSE).decrypt(provider.sealed_secret.encode()).decode()
    except InvalidToken:
        raise Unreachable("Its client secret was sealed with another SECRET_KEY; it has to be entered again.") from None


def _claims(provider: IdentityProvider, attempt: Attempt, token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """Signed by the provider, for us, now, and for this attempt. Raises NotAllowed."""
    try:
        known = {each.key_id: each for each in jwt.PyJWKSet.from_dict(keys).keys}
        kid = jwt.get_unverified_header(token).get("kid")
        key = known[kid] if kid is not None or len(known) != 1 else next(iter(known.values()))
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            audience=provider.client_id,
            issuer=provider.issuer,
            leeway=LEEWAY,
            options={"require": ["exp", "iat", "aud", "iss", "sub"]},
        )
        if not constant_time_compare(str(claims.get("nonce", "")), attempt.nonce):
            raise jwt.InvalidTokenError("nonce")
        if claims.get("azp", provider.client_id) != provider.client_id:
            raise jwt.InvalidTokenError("azp")
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise NotAllowed(f"What {provider.name} said about you could not be verified.") from error
    return claims


@transaction.atomic
def person_of(provider: IdentityProvider, claims: dict[str, Any]) -> User:
    """The account's person with this identity, else with this verified address; an open invitation is accepted.

    Never somebody of another account, an operator, or somebody who may more than whoever set the provider up. Raises
    NotAllowed or Conflict.
    """
    subject, email = _plain(claims["sub"])[:255], _plain(claims.get("email", "")).strip().lower()
    known = Identity.objects.filter(account=provider.account, issuer=provider.issuer, subject=subject).first()
    person = known.user if known else _by_address(provider, claims, email)
    if not person.is_active or person.account_id != provider.account_id:
        raise NotAllowed("You are switched off in this account. An owner or admin can undo that.")
    if person.is_superuser or RANK[person.role] > RANK[provider.reach]:
        raise NotAllowed("Your role does not sign in this way. Use your password.")
    if known is None:
        _remember(provider, person, subject)
    return person


def _by_address(provider: IdentityProvider, claims: dict[str, Any], email: str) -> User:
    if claims.get("email_verified") is not True:
        raise NotAllowed(f"{provider.name} has not verified your e-mail address.")
    if email.rpartition("@")[2] not in provider.allowed_domains:
        raise NotAllowed("Addresses of your domain do not sign in this way.")
    person = User.objects.for_account(provider.account).filter(email=email).first()
    return person or _invited(provider, email, str(claims.get("name") or email))


def _invited(provider: IdentityProvider, email: str, name: str) -> User:
    found = Invitation.objects.for_account(provider.account).open().filter(email=email).first()
    if found is None or not found.invited_by.may_grant(found.role):
        raise NotAllowed("Nobody has invited you to this account. Ask one of its owners or admins.")
    return invitations.accept(found, name=_plain(name)[:80], password=None)


def _remember(provider: IdentityProvider, person: User, subject: str) -> None:
    """Fixed for this issuer from now on. Raises Conflict if the person is somebody else there already."""
    if Identity.objects.filter(user=person, issuer=provider.issuer).exists():
        raise Conflict(f"Your address belongs to somebody else at {provider.name} by now. Ask an owner or admin.")
    told = {"account": provider.account, "issuer": provider.issuer, "subject": subject}
    try:
        with transaction.atomic():
            Identity.objects.update_or_create(user=person, defaults=told)
    except IntegrityError:
        raise Conflict("Somebody signs in with this identity already.") from None


def _plain(told: object) -> str:
    """Signed or not, it is somebody else's text."""
    return str(told).replace("\x00", "")
