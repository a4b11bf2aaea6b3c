"""Where the account's escalations are told outside, for its owners and admins."""

from uuid import UUID

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from escalations.actions import channels as actions
from escalations.actions import deliveries
from escalations.actions.refusals import Conflict
from escalations.channel_form import EVENTS, WORDS, ChannelForm
from escalations.models import Channel, Delivery
from resolutionflow.accounts.mail import is_set_up
from resolutionflow.accounts.requests import MemberRequest

SAID = {
    "test": "A test is on its way.",
    "on": "Switched on. It is told what happens from now on.",
    "off": "Switched off. Nothing goes there any more.",
    "removed": "Removed.",
    "changed": "Saved. It holds for what happens from now on.",
    "added": "Added. It is told what happens from now on; a test shows whether that gets there.",
}


def _find(request: MemberRequest, channel_id: UUID) -> Channel:
    return get_object_or_404(Channel.objects.for_account(request.account), pk=channel_id)


@never_cache
@require_safe
def index(request: MemberRequest) -> HttpResponse:
    actions.require_manager(request.user)
    return _page(request, said=SAID.get(request.GET.get("said", ""), ""))


def _page(request: MemberRequest, status: int = 200, **more: object) -> HttpResponse:
    last = deliveries.last_of(request.account)
    waiting = Count("deliveries", filter=Q(deliveries__state=Delivery.State.WAITING))
    own = Channel.objects.for_account(request.account).annotate(waiting=waiting)
    context = {
        "channels": [(channel, last.get(channel.pk)) for channel in own],
        "kinds": [(kind, WORDS[kind].what) for kind in Channel.Kind],
        "events": EVENTS,
        "mail_is_set_up": is_set_up(),
    }
    return render(request, "escalations/channels.html", context | more, status=status)


@never_cache
@sensitive_post_parameters("target")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: MemberRequest, kind: str) -> HttpResponse:
    """The form of a kind. What signs a webhook is shown just once, on the page that answers."""
    actions.require_manager(request.user)
    if kind not in Channel.Kind.values:
        raise Http404
    form = ChannelForm(request.POST or None, kind=Channel.Kind(kind))
    if form.is_valid():
        try:
            channel, secret = actions.add(by=request.user, kind=kind, **form.cleaned_data)
        except Conflict as refusal:
            form.add_error(None, str(refusal))
        else:
            if secret:
                return render(request, "escalations/channel_added.html", {"channel": channel, "secret": secret})
            return _back("added")
    context = {"form": form, "kind": Channel.Kind(kind), "mail_is_set_up": is_set_up()}
    return render(request, "escalations/channel_add.html", context, status=422 if form.is_bound else 200)


@never_cache
@sensitive_post_parameters("target")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: MemberRequest, channel_id: UUID) -> HttpResponse:
    channel = _find(request, channel_id)
    actions.require_manager(request.user)
    typed = request.POST if request.method == "POST" else None
    form = ChannelForm(typed, kind=Channel.Kind(channel.kind), channel=channel)
    if form.is_valid():
        try:
            actions.edit(channel, by=request.user, **form.cleaned_data)
        except Conflict as refusal:
            form.add_error(None, str(refusal))
        else:
            return _back("changed")
    context = {"form": form, "channel": channel, "mail_is_set_up": is_set_up()}
    return render(request, "escalations/channel_edit.html", context, status=422 if form.is_bound else 200)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_secret(request: MemberRequest, channel_id: UUID) -> HttpResponse:
    """First what will happen, then that: the secret is shown just once, on the page that answers."""
    channel = _find(request, channel_id)
    actions.require_manager(request.user)
    if not channel.is_signed:
        raise Http404
    if request.method == "POST":
        secret = actions.renew_secret(channel, by=request.user)
        return render(request, "escalations/channel_secret_made.html", {"channel": channel, "secret": secret})
    return render(request, "escalations/channel_new_secret.html", {"channel": channel})


@require_POST
def switch(request: MemberRequest, channel_id: UUID) -> HttpResponse:
    """`on=yes` switches it on, anything else off: a press that comes twice changes nothing."""
    on = request.POST.get("on") == "yes"
    actions.switch(_find(request, channel_id), by=request.user, on=on)
    return _back("on" if on else "off")


@require_POST
def send_test(request: MemberRequest, channel_id: UUID) -> HttpResponse:
    channel = _find(request, channel_id)
    try:
        actions.send_test(channel, by=request.user)
    except Conflict as refusal:
        return _page(request, status=refusal.status, refused=str(refusal))
    return _back("test")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: MemberRequest, channel_id: UUID) -> HttpResponse:
    """First what will happen, then that."""
    channel = _find(request, channel_id)
    actions.require_manager(request.user)
    if request.method == "POST":
        actions.remove(channel, by=request.user)
        return _back("removed")
    return render(request, "escalations/channel_remove.html", {"channel": channel})


def _back(said: str) -> HttpResponse:
    return redirect(f"{reverse('escalations:channels')}?said={said}")
