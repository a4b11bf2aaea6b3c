"""The forms that take a security key's answer. It comes from the browser, so it may be anything: then it is wrong."""

from typing import Any

from allauth.mfa.webauthn import forms as keys
from django.core.exceptions import ValidationError

WRONG = "That key did not answer as it should. Please try again."


class AddKey(keys.AddWebAuthnForm):  # type: ignore[misc]  # carries no types
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
    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except ValidationError:
            raise
        except Exception as error:
            raise ValidationError(WRONG) from error


class SignInWithKey(_Answer, keys.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class ConfirmWithKey(_Answer, keys.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass
