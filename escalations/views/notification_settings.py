"""Which notifications somebody wants, by which ways, and when not."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from escalations.actions import preferences
from escalations.forms import PreferenceForm
from resolutionflow.accounts import mail
from resolutionflow.accounts.requests import MemberRequest


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: MemberRequest) -> HttpResponse:
    preference = preferences.of(request.user, request.account)
    form = PreferenceForm(request.POST or None, initial=preference.__dict__, account=request.account)
    if form.is_valid():
        preferences.keep(preference, **form.cleaned_data)
        return redirect(reverse("escalations:notification-settings") + "?said=saved")
    saved = request.GET.get("said") == "saved"
    context: dict[str, Any] = {"form": form, "saved": saved, "mail_is_set_up": mail.is_set_up()}
    return render(request, "escalations/notification_settings.html", context, status=422 if form.errors else 200)
