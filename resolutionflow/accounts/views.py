"""Sign in and out."""

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse

from escalations.live.people import rights_changed
from resolutionflow.accounts.models import User


class SignIn(auth.LoginView):
    """The login page; a demonstration lists its people there."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: object) -> dict[str, object]:
        return super().get_context_data(**kwargs) | {"demo_people": demo_people() if settings.DEMO else []}


class SignOut(auth.LogoutView):
    """Signs out; what the person had open in this sign-in closes at once."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        person = request.user.pk
        answer = super().post(request, *args, **kwargs)
        if person:
            rights_changed(person)
        return answer


def demo_people() -> list[User]:
    people = User.objects.filter(account__isnull=False, is_active=True).select_related("account")
    return list(people.order_by("account__name", "name"))


sign_in = login_not_required(SignIn.as_view())
sign_out = login_not_required(SignOut.as_view())


def who_tries(request: HttpRequest, credentials: dict[str, str] | None) -> str:
    """Under which name a failed sign-in is counted: one person's, in whatever way the address is written."""
    told = credentials or request.POST
    return str(told.get("username") or "").strip().lower()[:254]
