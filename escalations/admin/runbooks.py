from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from escalations.models import Runbook
from resolutionflow.admin_site import OwnedAdmin


@admin.register(Runbook)
class RunbookAdmin(OwnedAdmin[Runbook]):
    list_display = ["title", "path", "imported_at"]
    list_filter = ["imported_at"]
    search_fields = ["title", "path"]
    ordering = ["title"]
    fields = ["title", "account", "path", "tags", "steps", "body", "imported_at"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Runbook]:
        return super().get_queryset(request).defer("knowledge", "whole", "sketch")
