"""One's own account: password, second factors, and where one is signed in."""

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalations.live.people import rights_changed
from resolutionflow.accounts import people, sign_ins
from resolutionflow.accounts.forms import NameForm
from resolutionflow.accounts.models import User


class PersonRequest(HttpRequest):
    """The request of somebody who is signed in, with an account or (the operator) without."""

    user: User


@never_cache
@require_safe
def your_account(request: PersonRequest) -> HttpResponse:
    return _page(request, NameForm(instance=request.user))


def _page(request: PersonRequest, form: NameForm, status: int = 200) -> HttpResponse:
    factors = list(Authenticator.objects.filter(user=request.user).order_by("created_at"))
    of_type = {kind: [each for each in factors if each.type == kind] for kind in Authenticator.Type.values}
    context = {
        "app": of_type["totp"],
        "keys": of_type["webauthn"],
        "codes": of_type["recovery_codes"],
        "sign_ins": sign_ins.list_of(request.user, this=request.session.session_key),
        "said": SAID.get(request.GET.get("said", "")),
        "asked_for": is_to_set_up_second_factor(request.user),
        "form": form,
    }
    return render(request, "accounts/your_account.html", context, status=status)


@require_POST
def name(request: PersonRequest) -> HttpResponse:
    """One's own name, as colleagues see it from now on; what a session's lines say stays as it was said."""
    form = NameForm(request.POST, instance=User.objects.get(pk=request.user.pk))
    if not form.is_valid():
        return _page(request, form, status=422)
    people.rename(request.user, name=form.cleaned_data["name"])
    return _back("name")


SAID = {
    "name": "Your name is changed.",
    "password": "Your password is changed. You are signed out everywhere else.",
    "ended": "Signed out there.",
    "others": "You are signed out everywhere but here.",
}


def is_to_set_up_second_factor(user: User | AnonymousUser) -> bool:
    """Whether the administration waits for that (REQUIRE_MFA_FOR_ADMIN)."""
    return settings.REQUIRE_MFA_FOR_ADMIN and user.is_staff and not is_mfa_enabled(user)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def password(request: PersonRequest) -> HttpResponse:
    """A new password; every other sign-in ends, and what is open in them."""
    kind = PasswordChangeForm if request.user.has_usable_password() else SetPasswordForm
    form = kind(request.user, request.POST or None)
    if form.is_valid():
        form.save()
        sign_ins.end_others(request.user, this=request.session.session_key)
        update_session_auth_hash(request, request.user)
        rights_changed(request.user.pk)
        sign_ins.record_sign_in("password_changed", request.user)
        return _back("password")
    return render(request, "accounts/password.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def end_sign_in(request: PersonRequest, id: str) -> HttpResponse:
    if not sign_ins.end(request.user, id):
        raise Http404
    return _back("ended")


@require_POST
def end_other_sign_ins(request: PersonRequest) -> HttpResponse:
    sign_ins.end_others(request.user, this=request.session.session_key)
    sign_ins.record_sign_in("session_ended", request.user, which="all others")
    return _back("others")


def _back(said: str) -> HttpResponse:
    return redirect(f"/account/?said={said}")
