"""The trail as the account's admins read it, and the operator with the installation's own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from escalations.admin.readable import readable
from resolutionflow.admin_site import OwnedAdmin
from resolutionflow.trail.kinds import KINDS
from resolutionflow.trail.models import Entry


class KindFilter(admin.SimpleListFilter):
    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(KINDS.items(), key=lambda kind: kind[1])

    def queryset(self, request: HttpRequest, entries: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value()
        return entries.filter(kind=wanted) if wanted in KINDS else entries


@admin.register(Entry)
class EntryAdmin(OwnedAdmin[Entry]):
    list_display = ["at", "what", "actor_name", "about", "seq"]
    list_filter = [KindFilter, "at"]
    search_fields = ["actor_name", "actor__email", "about", "kind"]
    ordering = ["-at", "-seq"]
    fields = ["seq", "at", "what", "account", "actor_name", "actor", "about", "in_full", "hash"]

    @admin.display(description="what", ordering="kind")
    def what(self, entry: Entry) -> str:
        return entry.kind_in_words

    @admin.display(description="details")
    def in_full(self, entry: Entry) -> SafeString:
        return readable(entry.details)
