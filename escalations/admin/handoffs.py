"""Handoffs: what was frozen, what the AI made of it, and the two verbs that an admin may call for somebody else."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escalations.actions import handoffs as actions
from escalations.actions.refusals import Conflict, Refusal
from escalations.admin.assessments import AssessmentStateFilter, state_in_words
from escalations.admin.feed import FeedEventInline
from escalations.admin.readable import readable
from escalations.models import Assessment, Handoff
from resolutionflow.accounts.models import User
from resolutionflow.admin_site import OwnedAdmin


class StateOfItsAssessment(AssessmentStateFilter):
    path = "assessment__"


@admin.register(Handoff)
class HandoffAdmin(OwnedAdmin[Handoff]):
    list_display = ["session", "client", "state", "priority", "created_by", "created_at", "picked_up_by", "assessed"]
    list_filter = ["state", "priority", StateOfItsAssessment, "created_at", "picked_up_at"]
    list_select_related = ["session", "created_by", "picked_up_by", "assessment"]
    search_fields = [
        "session__title",
        "session__client_name",
        "session__ticket_ref",
        "created_by__name",
        "created_by__email",
        "picked_up_by__name",
        "picked_up_by__email",
    ]
    ordering = ["-created_at"]
    inlines = [FeedEventInline]
    actions = ["put_back", "take_back"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Handoff]:
        return super().get_queryset(request).defer("snapshot", "session__knowledge")

    def get_fieldsets(self, request: HttpRequest, obj: Handoff | None = None) -> Any:
        has_queue = request.user.is_authenticated and request.user.account_id  # which an operator has not
        screen = ["context_screen"] if has_queue else []
        times = [("created_by", "created_at"), ("picked_up_by", "picked_up_at"), "resolved_at", "taken_back_at"]
        return [
            (None, {"fields": ["session", "account", *screen, "state", "priority", "reason"]}),
            ("People and times", {"fields": times}),
            ("Assessment", {"fields": ["assessed", "assessment_reason", "assessment_in_full"]}),
            ("Frozen context", {"fields": ["snapshot_in_full"]}),
        ]

    # The verbs

    @admin.action(description="Put back into the queue")
    def put_back(self, request: HttpRequest, handoffs: QuerySet[Handoff]) -> None:
        self._call(request, handoffs, put_back, "Put back into the queue")

    @admin.action(description="Take back")
    def take_back(self, request: HttpRequest, handoffs: QuerySet[Handoff]) -> None:
        self._call(request, handoffs, take_back, "Taken back")

    def _call(self, request: HttpRequest, handoffs: QuerySet[Handoff], verb: Callable[..., None], done: str) -> None:
        """Each is its own transaction: one refusal leaves the others done."""
        for handoff in handoffs.select_related("session", "created_by__account", "picked_up_by__account"):
            title = handoff.session.title
            try:
                verb(handoff, admin=request.user)
            except Refusal as refusal:
                self.message_user(request, f"{title}: {refusal}", messages.WARNING)
            else:
                self.log_change(request, handoff, f"{done}.")
                self.message_user(request, f"{title}: {done.lower()}.", messages.SUCCESS)

    # What it shows

    @admin.display(description="client", ordering="session__client_name")
    def client(self, handoff: Handoff) -> str:
        return handoff.session.client_name

    @admin.display(description="assessment")
    def assessed(self, handoff: Handoff) -> str:
        return state_in_words(assessment_of(handoff))

    @admin.display(description="why it is unavailable")
    def assessment_reason(self, handoff: Handoff) -> str:
        assessment = assessment_of(handoff)
        return (assessment and assessment.reason) or "–"

    @admin.display(description="in full")
    def assessment_in_full(self, handoff: Handoff) -> SafeString:
        assessment = assessment_of(handoff)
        return readable(assessment.data if assessment else None)

    @admin.display(description="snapshot")
    def snapshot_in_full(self, handoff: Handoff) -> SafeString:
        return readable(handoff.snapshot)

    @admin.display(description="context screen")
    def context_screen(self, handoff: Handoff) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse("escalations:handoff", args=[handoff.pk]))


def assessment_of(handoff: Handoff) -> Assessment | None:
    return getattr(handoff, "assessment", None)


def put_back(handoff: Handoff, *, admin: User) -> None:
    """Release it on behalf of whoever has it. Raises a Refusal."""
    picker = handoff.picked_up_by
    if picker is None:
        raise Conflict(f"It is {handoff.get_state_display().lower()}, so there is nothing to put back.")
    actions.release(handoff, by=admin, on_behalf_of=picker)


def take_back(handoff: Handoff, *, admin: User) -> None:
    """Recall it on behalf of whoever escalated it. Raises a Refusal."""
    actions.take_back(handoff, by=admin, on_behalf_of=handoff.created_by)
