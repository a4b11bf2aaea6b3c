from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from escalations.admin.readable import readable
from escalations.models import Assessment, Feedback
from resolutionflow.admin_site import OwnedAdmin, ReadOnlyInline

State = Assessment.State


def state_in_words(assessment: Assessment | None) -> str:
    """Unlike the queue, the admin tells timed out from failed."""
    return assessment.current_state.replace("_", " ") if assessment else "none"


class AssessmentStateFilter(admin.SimpleListFilter):
    """By the state as it is to be read: pending past its deadline has timed out."""

    title = "assessment"
    parameter_name = "assessment"
    path = ""  # from the listed model to its assessment

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state.value, state.value.replace("_", " ").capitalize()) for state in State]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        if wanted not in State.values:
            return queryset
        overdue = Q(**{f"{self.path}state": State.PENDING, f"{self.path}deadline__lt": timezone.now()})
        asked = Q(**{f"{self.path}state": wanted})
        return queryset.filter(asked | overdue if wanted == State.TIMED_OUT else asked & ~overdue)


class FeedbackInline(ReadOnlyInline[Feedback, Assessment]):
    model = Feedback
    fields = ["by", "helpful", "why", "at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feedback]:
        return super().get_queryset(request).select_related("by")


@admin.register(Assessment)
class AssessmentAdmin(OwnedAdmin[Assessment]):
    account_path = "handoff__account"
    list_display = ["handoff", "state_now", "assessor", "attempt", "requested_at", "finished_at"]
    list_filter = [AssessmentStateFilter, "requested_at"]
    list_select_related = ["handoff__session"]
    search_fields = [
        "handoff__session__title",
        "handoff__session__client_name",
        "handoff__session__ticket_ref",
        "assessor",
    ]
    ordering = ["-requested_at"]
    fields = ["handoff", "state_now", "reason", "assessor", "run", "attempt", "requested_at", "finished_at", "in_full"]
    inlines = [FeedbackInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assessment]:
        return super().get_queryset(request).defer("handoff__snapshot", "handoff__session__knowledge")

    @admin.display(description="state")
    def state_now(self, assessment: Assessment) -> str:
        return state_in_words(assessment)

    @admin.display(description="assessment")
    def in_full(self, assessment: Assessment) -> SafeString:
        return readable(assessment.data)
