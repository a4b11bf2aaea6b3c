from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escalations.models import Attachment
from resolutionflow.admin_site import OwnedAdmin

LONGEST = 48  # characters of a name in the list: more would push the other columns out of sight


@admin.register(Attachment)
class AttachmentAdmin(OwnedAdmin[Attachment]):
    """Which files were sent, never what is in them. What is not sent yet is for nobody but who uploaded it."""

    account_path = "session__account"
    list_display = ["file", "how_large", "content_type", "session", "uploaded_by", "created_at", "scanned"]
    list_filter = ["content_type", "scanned", "created_at"]
    list_select_related = ["session", "uploaded_by"]
    search_fields = ["name", "session__title", "session__ticket_ref", "uploaded_by__name", "uploaded_by__email"]
    ordering = ["-created_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attachment]:
        return super().get_queryset(request).filter(message__isnull=False).defer("excerpt", "session__knowledge")

    def get_fields(self, request: HttpRequest, obj: Attachment | None = None) -> list[Any]:
        has_sessions = request.user.is_authenticated and request.user.account_id  # which an operator has not
        link = ["download"] if has_sessions else []
        return ["name", "how_large", "content_type", *link, "session", "uploaded_by", "created_at", "scanned"]

    @admin.display(description="name", ordering="name")
    def file(self, attachment: Attachment) -> str:
        """With its end, which tells logs of one program apart."""
        name, half = attachment.name, LONGEST // 2
        return name if len(name) <= LONGEST else f"{name[: half - 1]}…{name[-half:]}"

    @admin.display(description="size", ordering="size")
    def how_large(self, attachment: Attachment) -> str:
        return filesizeformat(attachment.size)

    @admin.display(description="file")
    def download(self, attachment: Attachment) -> SafeString:
        """By the session's own door, which decides who gets it."""
        address = reverse("escalations:attachment", args=[attachment.session_id, attachment.pk])
        return format_html('<a href="{}">Open</a>', address)
