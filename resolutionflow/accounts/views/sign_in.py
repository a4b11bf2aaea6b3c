"""Sign in and out."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse

from escalations.live.people import rights_changed
from resolutionflow.accounts.models import IdentityProvider, User
from resolutionflow.accounts.sign_ins import record_sign_in
from resolutionflow.demo import rival


class SignIn(auth.LoginView):
    """The login page; a demonstration lists its people there. With a second factor its step follows."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        more = {
            "demo_people": demo_people() if settings.DEMO else [],
            "elsewhere": IdentityProvider.objects.filter(enabled=True).exists(),
        }
        return super().get_context_data(**kwargs) | more

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        login = Login(user=form.get_user(), redirect_url=self.get_success_url())
        answer: HttpResponse = perform_password_login(self.request, {}, login)
        return answer

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        if {"username", "password"} <= form.cleaned_data.keys() and not getattr(self.request, "axes_locked_out", False):
            tried = who_tries(self.request, form.cleaned_data)
            record_sign_in("sign_in_failed", User.objects.select_related("account").filter(email=tried).first())
        return super().form_invalid(form)


class SignOut(auth.LogoutView):
    """Signs out; what the person had open in this sign-in closes at once."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user
        answer = super().post(request, *args, **kwargs)
        if isinstance(person, User):
            rights_changed(person.pk)
            record_sign_in("signed_out", person)
        return answer


def demo_people() -> list[User]:
    people = User.objects.filter(account__isnull=False, is_active=True).select_related("account")
    people = people.exclude(email__startswith=f"{rival.LOGIN}@")  # who has no password
    return list(people.order_by("account__name", "name"))


sign_in = login_not_required(SignIn.as_view())
sign_out = login_not_required(SignOut.as_view())


def who_tries(request: HttpRequest, credentials: dict[str, str] | None) -> str:
    """Under which name a failed sign-in is counted: one person's, in whatever way the address is written."""
    told = credentials or request.POST
    return str(told.get("username") or "").strip().lower()[:254]
