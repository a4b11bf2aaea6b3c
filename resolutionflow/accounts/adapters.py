"""What django-allauth asks the product: how mail goes out, who may sign up (nobody), where its secrets are sealed."""

import base64
import os

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url

from escalations.live.people import rights_changed
from resolutionflow import addresses, sealing
from resolutionflow.accounts import mail, sign_ins
from resolutionflow.accounts.models import User

PURPOSE = "second factors"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # carries no types
    """People come by invitation. What allauth says in passing is left out: each page says it itself."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def add_message(self, *args: object, **kwargs: object) -> None:
        pass

    def send_notification_mail(self, template_prefix: str, user: User, *args: object, **kwargs: object) -> None:
        """Where allauth tells of what has changed: the trail hears it, too."""
        if template_prefix.startswith("mfa/"):
            sign_ins.record_sign_in("mfa_changed", user, what=template_prefix.rpartition("/")[2])
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def get_client_ip(self, request: HttpRequest) -> str:
        return addresses.of_request(request) or "unknown"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, object]) -> None:
        """Through the worker: how long it takes would tell whether an address is known."""
        message = self.render_mail(template_prefix, email, context)
        mail.send_later(email, message.subject, str(message.body))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, object]) -> None:
        """To the address that the person has, in their own spelling of it."""
        super().send_password_reset_mail(user, user.email, context)

    def login(self, request: HttpRequest, user: User) -> None:
        """Listed from the first moment on."""
        super().login(request, user)
        sign_ins.note(request, user)
        sign_ins.record_sign_in("signed_in", user)

    def set_password(self, user: User, password: str) -> None:
        """A reset ends every sign-in, here and elsewhere."""
        super().set_password(user, password)
        sign_ins.end_all(user)
        sign_ins.record_sign_in("password_changed", user, how="reset by e-mail")
        rights_changed(user.pk)

    def respond_user_inactive(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        said = "This person is switched off in ResolutionFlow. An owner or admin of the account can undo that."
        return render(request, "error.html", {"title": "Not signed in", "said": said}, status=403)

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return resolve_url(settings.LOGOUT_REDIRECT_URL)

    def respond_email_verification_sent(self, request: HttpRequest, user: AbstractBaseUser) -> HttpResponse:
        return redirect("login")


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # carries no types
    """Seals what makes the codes with a key of SECRET_KEY's."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(PURPOSE).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """With another SECRET_KEY it is gone: then a new random one, which no code fits, rather than an error."""
        try:
            return sealing.seal(PURPOSE).decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            return base64.b32encode(os.urandom(20)).decode()

    def generate_authenticator_name(self, user: AbstractBaseUser, type: object) -> str:
        return "Security key"
