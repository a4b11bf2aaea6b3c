"""The account's people: who is here, who is invited, and what owners and admins change about that."""

from uuid import UUID

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalations.actions.refusals import Conflict, NotAllowed
from escalations.models import Handoff
from resolutionflow.accounts import invitations, mail
from resolutionflow.accounts import people as actions
from resolutionflow.accounts.forms import AcceptForm, InviteForm, RoleForm
from resolutionflow.accounts.models import Invitation, User
from resolutionflow.accounts.requests import MemberRequest


@never_cache
@require_safe
def people(request: MemberRequest) -> HttpResponse:
    actions.require_manager(request.user)
    return _page(request, InviteForm(by=request.user))


def _page(request: MemberRequest, form: InviteForm, status: int = 200, **more: object) -> HttpResponse:
    colleagues = User.objects.for_account(request.account).order_by("-is_active", "name")
    context = {
        "people": [(each, request.user.may_manage(each)) for each in colleagues],
        "invitations": Invitation.objects.for_account(request.account).open().select_related("invited_by"),
        "form": form,
        "mail_is_set_up": mail.is_set_up(),
    }
    return render(request, "accounts/people.html", context | more, status=status)


@never_cache
@require_POST
def invite(request: MemberRequest) -> HttpResponse:
    """The link is shown just once, on the page that answers."""
    actions.require_manager(request.user)
    form = InviteForm(request.POST, by=request.user)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        invitation, secret = invitations.invite(by=request.user, **form.cleaned_data)
    except (Conflict, NotAllowed) as refusal:
        return _page(request, form, status=refusal.status, refused=str(refusal))
    address = request.build_absolute_uri(reverse("invitation", args=[secret]))
    invitations.write_to(invitation, address)
    return _page(request, InviteForm(by=request.user), invited=invitation, address=address)


@require_POST
def revoke(request: MemberRequest, invitation_id: UUID) -> HttpResponse:
    found = get_object_or_404(Invitation.objects.for_account(request.account), pk=invitation_id)
    invitations.revoke(found, by=request.user)
    return redirect("people")


def _find(request: MemberRequest, person_id: UUID) -> User:
    return get_object_or_404(User.objects.for_account(request.account), pk=person_id)


@never_cache
@require_safe
def person(request: MemberRequest, person_id: UUID) -> HttpResponse:
    found = _find(request, person_id)
    actions.require_manager(request.user)
    context = {
        "person": found,
        "may_manage": request.user.may_manage(found),
        "form": RoleForm(by=request.user, initial={"role": found.role}),
        "has_second_step": Authenticator.objects.filter(user=found).exists(),
    }
    return render(request, "accounts/person.html", context)


@require_POST
def change_role(request: MemberRequest, person_id: UUID) -> HttpResponse:
    found = _find(request, person_id)
    actions.change_role(found, by=request.user, role=_role(request))
    return redirect("people")


def _role(request: MemberRequest) -> str:
    """Raises NotAllowed for one that cannot be given."""
    form = RoleForm(request.POST, by=request.user)
    if not form.is_valid():
        raise NotAllowed("You cannot give that role.")
    return str(form.cleaned_data["role"])


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def deactivate(request: MemberRequest, person_id: UUID) -> HttpResponse:
    """First what will happen, then that."""
    found = _find(request, person_id)
    actions.require_manager(request.user)
    if request.method == "POST":
        actions.deactivate(found, by=request.user)
        return redirect("people")
    waiting = Handoff.objects.for_account(request.account).waiting().filter(created_by=found)
    context = {"person": found, "in_hand": actions.in_hand(found).select_related("session"), "waiting": waiting.count()}
    return render(request, "accounts/deactivate.html", context)


@require_POST
def reactivate(request: MemberRequest, person_id: UUID) -> HttpResponse:
    actions.reactivate(_find(request, person_id), by=request.user)
    return redirect("people")


@require_POST
def remove_second_step(request: MemberRequest, person_id: UUID) -> HttpResponse:
    actions.remove_second_step(_find(request, person_id), by=request.user)
    return redirect("person", person_id)


@login_not_required
@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """For whoever has the link: name and password, and they are in."""
    found = invitations.find(secret)
    if found is None:
        return render(request, "accounts/invitation_over.html", status=404)
    form = AcceptForm(request.POST or None, email=found.email)
    if form.is_valid():
        told = form.cleaned_data
        person = invitations.accept(found, name=told["name"], password=told["password1"])
        answer: HttpResponse = perform_login(request, Login(user=person, redirect_url=reverse("escalations:queue")))
        return answer
    context = {"form": form, "invitation": found}
    return render(request, "accounts/invitation.html", context, status=422 if form.is_bound else 200)
