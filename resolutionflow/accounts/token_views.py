"""One's own API tokens: what there is, a new one (shown this once), and the end of one."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from resolutionflow.accounts import token_changes
from resolutionflow.accounts.models import ApiToken, User
from resolutionflow.accounts.requests import MemberRequest

MOST = 50  # good ones of one person
DAYS = [("30", "30 days"), ("90", "90 days"), ("365", "a year"), ("", "until it is revoked")]


class TokenForm(forms.Form):
    """A new token: what for, with which of the person's own scopes, for how long."""

    name = forms.CharField(
        max_length=ApiToken.NAME_LENGTH, widget=forms.TextInput(attrs={"placeholder": "Which program is it for?"})
    )
    scopes = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, error_messages={"required": "Choose at least one."}
    )
    days = forms.TypedChoiceField(choices=DAYS, required=False, coerce=int, empty_value=None, initial="90")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "token-%s"} | kwargs)
        self.user = user
        self.fields["scopes"].choices = [(scope.value, scope.label) for scope in user.scopes]  # type: ignore[attr-defined]
        self.fields["scopes"].initial = [ApiToken.Scope.READ.value]

    def clean(self) -> dict[str, Any] | None:
        if ApiToken.objects.alive().filter(user=self.user).count() >= MOST:
            raise forms.ValidationError(f"You have {MOST} tokens that are good. Revoke one that nothing uses any more.")
        return super().clean()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: MemberRequest) -> HttpResponse:
    form = TokenForm(request.POST or None, user=request.user)
    if form.is_valid():
        made, plain = token_changes.make(request.user, by=request.user, **form.cleaned_data)
        return _page(request, TokenForm(user=request.user), made=made, plain=plain)
    return _page(request, form, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def revoke(request: MemberRequest, token_id: UUID) -> HttpResponse:
    """Asks first; a token that is revoked already stays so."""
    token = get_object_or_404(ApiToken, pk=token_id, user=request.user)
    if request.method != "POST":
        return render(request, "accounts/revoke_token.html", {"token": token})
    token_changes.revoke_own(token, by=request.user)
    messages.success(
        request, f"{token.name or token.prefix} is revoked. Programs that used it are refused from now on."
    )
    return redirect("tokens")


def _page(request: MemberRequest, form: TokenForm, *, status: int = 200, **made: Any) -> HttpResponse:
    own = ApiToken.objects.filter(user=request.user).defer("digest")
    return render(request, "accounts/tokens.html", {"form": form, "tokens": own, **made}, status=status)
