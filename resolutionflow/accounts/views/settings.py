"""The account's settings, for its owners and admins."""

from django.conf import settings as installation
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from escalations.actions import model_calls
from resolutionflow.accounts import account_settings, ticket_links
from resolutionflow.accounts.account_settings import SECTIONS, Section, require_manager, sections_of
from resolutionflow.accounts.models import Account
from resolutionflow.accounts.requests import MemberRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest) -> HttpResponse:
    """Each section has its own button, so that one that is wrong holds up no other."""
    require_manager(request.user)
    if request.method != "POST":
        return _page(request, sections_of(request.account))
    key = request.POST.get("section", "")
    if key not in SECTIONS:
        raise Http404
    sections = sections_of(request.account)
    # What is typed goes into a row of its own: the page around the form shows the account as it is.
    section = sections[key] = SECTIONS[key](request.POST, instance=Account.objects.get(pk=request.account.pk))
    if not section.is_valid():
        return _page(request, sections, status=422)
    account_settings.save(section, by=request.user)
    return redirect(f"{reverse('settings')}?saved={key}#{key}")


def _page(request: MemberRequest, sections: dict[str, Section], status: int = 200) -> HttpResponse:
    account = request.account
    context = {
        "sections": sections,
        "saved": SECTIONS.get(request.GET.get("saved", "")),
        "presets": ticket_links.PRESETS,
        "example": ticket_links.EXAMPLE,
        "example_address": ticket_links.address_of(account.ticket_url_template, ticket_links.EXAMPLE),
        "installations_ai": installation.ASSESSMENT_MODEL,
        "budget": model_calls.budget_of(account),
        "used": model_calls.used_today(account),
    }
    return render(request, "accounts/settings.html", context, status=status)
