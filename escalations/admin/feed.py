from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from escalations.admin.readable import readable
from escalations.models import FeedEvent, Handoff
from resolutionflow.admin_site import OwnedAdmin, ReadOnlyInline


@admin.register(FeedEvent)
class FeedEventAdmin(OwnedAdmin[FeedEvent]):
    list_display = ["seq", "kind", "handoff", "actor", "at"]
    list_filter = ["kind", "at"]
    list_select_related = ["handoff__session", "actor"]
    search_fields = [
        "handoff__session__title",
        "handoff__session__client_name",
        "handoff__session__ticket_ref",
        "actor__name",
        "actor__email",
    ]
    ordering = ["-id"]  # ids rise with an account's positions, and order across accounts as well
    fields = ["seq", "kind", "handoff", "session", "actor", "at", "in_full"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedEvent]:
        return super().get_queryset(request).defer("handoff__snapshot", "handoff__session__knowledge")

    @admin.display(description="data")
    def in_full(self, event: FeedEvent) -> SafeString:
        return readable(event.data)


class FeedEventInline(ReadOnlyInline[FeedEvent, Handoff]):
    """What happened to a handoff, in order."""

    model = FeedEvent
    fields = ["seq", "kind", "actor", "at"]
    ordering = ["seq"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FeedEvent]:
        return super().get_queryset(request).select_related("actor")
