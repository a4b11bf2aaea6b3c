from django.contrib import admin

from escalations.models import ModelCall, Reveal
from resolutionflow.admin_site import OwnedAdmin


@admin.register(ModelCall)
class ModelCallAdmin(OwnedAdmin[ModelCall]):
    """What was asked of models, when, and what it cost."""

    list_display = ["began_at", "purpose", "model", "outcome", "why", "tokens_in", "tokens_out", "ended_at"]
    list_filter = ["purpose", "outcome", "began_at"]
    search_fields = ["model", "why"]
    ordering = ["-began_at"]
    fields = ["purpose", "model", "began_at", "ended_at", "outcome", "why", "tokens_in", "tokens_out"]


@admin.register(Reveal)
class RevealAdmin(OwnedAdmin[Reveal]):
    """Who read which hidden secret, and when; never the secret."""

    account_path = "secret__session__account"
    list_display = ["at", "by", "secret", "session"]
    list_filter = ["at"]
    list_select_related = ["by", "secret__session"]
    search_fields = ["by__name", "secret__session__title"]
    ordering = ["-at"]
    fields = ["at", "by", "secret", "session"]

    @admin.display(description="session")
    def session(self, reveal: Reveal) -> str:
        return str(reveal.secret.session)
