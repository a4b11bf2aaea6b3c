from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from escalations.models import AISession, Message, TriedStep
from resolutionflow.admin_site import OwnedAdmin, ReadOnlyInline


class MessageInline(ReadOnlyInline[Message, AISession]):
    model = Message
    fields = ["number", "kind", "author", "body", "step_use", "created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        return super().get_queryset(request).select_related("author")


class TriedStepInline(ReadOnlyInline[TriedStep, AISession]):
    model = TriedStep
    fields = ["position", "description", "outcome", "note", "by", "created_at", "merged_into"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TriedStep]:
        return super().get_queryset(request).select_related("by", "merged_into")


@admin.register(AISession)
class SessionAdmin(OwnedAdmin[AISession]):
    list_display = ["title", "client_name", "ticket_ref", "state", "holder", "created_at", "resolved_at"]
    list_filter = ["state", "created_at", "resolved_at"]
    list_select_related = ["holder"]
    search_fields = ["title", "client_name", "ticket_ref"]
    ordering = ["-created_at"]
    fields = [
        "title",
        "account",
        ("client_name", "ticket_ref", "category"),
        "problem",
        "state",
        ("started_by", "created_at"),
        ("holder", "held_since"),
        ("resolved_by", "resolved_at"),
        "resolution",
    ]
    inlines = [MessageInline, TriedStepInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[AISession]:
        return super().get_queryset(request).defer("knowledge")
