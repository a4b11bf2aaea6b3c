"""The forms of the second step. A key's answer comes from the browser, so it may be anything: then it is wrong."""

from typing import Any

from allauth.mfa.base import forms as codes
from allauth.mfa.webauthn import forms as keys
from django.core.exceptions import ValidationError

from resolutionflow.accounts.sign_ins import record_sign_in

WRONG = "That key did not answer as it should. Please try again."


class SignInWithCode(codes.AuthenticateForm):  # type: ignore[misc]  # carries no types
    def _emit_authentication_failed(self, authenticator: object) -> None:
        record_sign_in("sign_in_failed", self.user, step="second")


class AddKey(keys.AddWebAuthnForm):  # type: ignore[misc]
    def clean(self) -> dict[str, Any]:
        try:
            return dict(super().clean())
        except ValidationError:
            raise
        except Exception as error:  # the library's parsers raise whatever the input makes them
            raise ValidationError(WRONG) from error

    def clean_name(self) -> str:
        return str(super().clean_name()).replace("\x00", "")[:60]


class _Answer:
    user: Any

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except Exception as error:
            record_sign_in("sign_in_failed", self.user, step="second")
            raise error if isinstance(error, ValidationError) else ValidationError(WRONG) from error


class SignInWithKey(_Answer, keys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class ConfirmWithKey(_Answer, keys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass
