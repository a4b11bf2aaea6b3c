"""What a sign-in keeps, in an account that has all of it: a place, second steps, a token, an invitation, a provider."""

from allauth.account.forms import default_token_generator
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.http import HttpRequest

from resolutionflow.accounts import invitations, oidc, sign_ins
from resolutionflow.accounts.models import ApiToken, Identity, IdentityProvider, SignIn, User
from resolutionflow.accounts.sessions import SessionStore
from tests.resolutionflow.accounts.security_key import security_key_of
from tests.serving import cookie_of


def fresh_cookie_of(person: User) -> str:
    """Of somebody who has just given the password again, so that no door stops to ask for it."""
    request = HttpRequest()
    request.session = SessionStore(cookie_of(person))
    record_authentication(request, person, method="password", reauthenticated=True)
    request.session.save()
    return str(request.session.session_key)


def kept(mark: str, owner: User, engineer: User, colleague: User) -> tuple[dict[str, str], set[str]]:
    """Rows in every table of the sign-in's: what addresses name of them, and what else nobody may read."""
    account = engineer.account
    token, _ = ApiToken.issue(engineer, name=mark)
    invitation, secret = invitations.invite(by=owner, email=f"guest@{mark.lower()}.example", role="engineer")
    IdentityProvider.objects.create(
        account=account, name=f"{mark} ID", issuer=issuer_of(mark), client_id=f"{mark} client",
        sealed_secret=oidc.seal_secret(mark), domains=f"{mark.lower()}.example", enabled=True, reach="owner",
    )  # fmt: skip
    Identity.objects.create(user=colleague, account=account, issuer=issuer_of(mark), subject=mark)
    address = EmailAddress.objects.create(user=colleague, email=colleague.email)
    EmailConfirmation.objects.create(email_address=address, key=mark)
    place = SignIn.objects.create(
        session_key=cookie_of(engineer), user=engineer, browser=f"{mark} browser", address="192.0.2.7"
    )
    place.refresh_from_db()
    ids = {
        "token_id": str(token.pk), "apitoken": str(token.pk), "person_id": str(engineer.pk),
        "invitation_id": str(invitation.pk), "secret": secret, "slug": account.slug, "sign_in": sign_ins._id(place),
        "pk": str(second_steps(engineer, mark).pk), "uidb36": user_pk_to_url_str(engineer),
        "reset_key": default_token_generator.make_token(engineer),
    }  # fmt: skip
    return ids, {str(token.pk), secret, place.session_key}


def issuer_of(mark: str) -> str:
    return f"https://id.{mark.lower()}.example"


def second_steps(person: User, mark: str) -> Authenticator:
    """An app with its recovery codes, and the security key that it gives."""
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(person)
    return security_key_of(person, f"{mark} key")
