"""Sign in with the account's own identity provider: its page, the way there and back, and its settings."""

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.core.internal.ratelimit import consume_or_429
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_safe

from escalations.actions.refusals import Refusal
from resolutionflow.accounts import oidc
from resolutionflow.accounts.forms import ProviderForm
from resolutionflow.accounts.models import Account, IdentityProvider
from resolutionflow.accounts.outside import Unreachable
from resolutionflow.accounts.people import require_manager
from resolutionflow.accounts.requests import MemberRequest
from resolutionflow.trail import record

KEPT = "sign_in_elsewhere"
TRIES = {"elsewhere": "60/5m/ip"}  # each of them asks another server, and somebody waits for it


def _find(slug: str) -> IdentityProvider:
    return get_object_or_404(IdentityProvider.objects.select_related("account"), account__slug=slug, enabled=True)


@login_not_required
@never_cache
@require_safe
def which(request: HttpRequest) -> HttpResponse:
    """For somebody who knows their account's short name."""
    slug = request.GET.get("account", "").strip().lower()
    if not slug:
        return render(request, "accounts/elsewhere_which.html")
    if "\x00" not in slug and IdentityProvider.objects.filter(account__slug=slug, enabled=True).exists():
        return redirect("sign_in_elsewhere", slug)
    return render(request, "accounts/elsewhere_which.html", {"unknown": True, "slug": slug[:50]}, status=404)


@login_not_required
@never_cache
@require_safe
def page(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "accounts/elsewhere.html", {"provider": _find(slug)})


@login_not_required
@never_cache
@require_GET
def go(request: HttpRequest, slug: str) -> HttpResponse:
    """Off to the provider. A link, not a form: the page's policy lets forms go nowhere else."""
    provider = _find(slug)
    refused: HttpResponse | None = consume_or_429(
        request, app="accounts", action="elsewhere", config=TRIES, limit_get=True
    )
    if refused:
        return refused
    attempt = oidc.Attempt.new(slug)
    try:
        away = oidc.begin(provider, attempt, back=_back(request, slug))
    except Unreachable as error:
        return _not_signed_in(request, f"{provider.name} cannot be asked. {error}", 502)
    request.session[KEPT] = attempt.kept()
    return redirect(away)


@login_not_required
@never_cache
@require_GET
def back(request: HttpRequest, slug: str) -> HttpResponse:
    """Each attempt counts once, whatever comes of it. A second step follows, if the person has one."""
    provider, kept = _find(slug), request.session.pop(KEPT, None)
    if kept is None or kept["slug"] != slug:
        return _not_signed_in(request, "This sign-in was not begun in this browser, or it is over.", 403)
    try:
        claims = oidc.finish(provider, oidc.Attempt(**kept), request.GET.dict(), back=_back(request, slug))
        person = oidc.person_of(provider, claims)
    except Unreachable as error:
        return _not_signed_in(request, f"{provider.name} cannot be asked. {error}", 502)
    except Refusal as refusal:
        return _not_signed_in(request, str(refusal), refusal.status)
    answer: HttpResponse = perform_login(request, Login(user=person, redirect_url=reverse("escalations:queue")))
    return answer


def _back(request: HttpRequest, slug: str) -> str:
    return request.build_absolute_uri(reverse("sign_in_elsewhere_back", args=[slug]))


def _not_signed_in(request: HttpRequest, said: str, status: int) -> HttpResponse:
    return render(request, "accounts/elsewhere_failed.html", {"said": said}, status=status)


@never_cache
@sensitive_post_parameters("client_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest) -> HttpResponse:
    require_manager(request.user)
    account: Account = request.account
    provider = IdentityProvider.objects.filter(account=account).first()
    form = ProviderForm(request.POST or None, instance=provider or IdentityProvider(account=account), by=request.user)
    if form.is_valid():
        saved = form.save()
        about = "sign-in elsewhere"
        record("settings_changed", account=account, by=request.user, about=about, enabled=saved.enabled)
        return redirect(reverse("sign_in_settings") + "?said=saved")
    context = {
        "form": form,
        "provider": provider,
        "back": _back(request, account.slug),
        "address": request.build_absolute_uri(reverse("sign_in_elsewhere", args=[account.slug])),
        "saved": request.GET.get("said") == "saved",
    }
    return render(request, "accounts/sign_in_settings.html", context, status=422 if form.is_bound else 200)
