"""A security key, as it is kept once somebody has added it. It answers nothing: tests/browser has one that does."""

from allauth.mfa.models import Authenticator
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import AttestationObject, AttestedCredentialData, AuthenticatorData

from resolutionflow.accounts.models import User

PUBLIC = ES256({1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32})
CLIENT = b'{"type": "webauthn.create", "challenge": "eA", "origin": "https://testserver"}'


def security_key_of(person: User, name: str) -> Authenticator:
    credential = AttestedCredentialData.create(bytes(16), name.encode(), PUBLIC)
    attested = AttestationObject.create("none", AuthenticatorData.create(bytes(32), 0x41, 0, credential), {})
    told = {
        "id": websafe_encode(name.encode()),
        "rawId": websafe_encode(name.encode()),
        "type": "public-key",
        "response": {"clientDataJSON": websafe_encode(CLIENT), "attestationObject": websafe_encode(bytes(attested))},
    }
    return Authenticator.objects.create(user=person, type="webauthn", data={"name": name, "credential": told})
