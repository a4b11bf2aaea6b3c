"""What is told outside, and what of it got there. What was given up can be sent again."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from escalations.actions import deliveries as actions
from escalations.actions.refusals import Refusal
from escalations.models import Channel, Delivery
from resolutionflow.admin_site import OwnedAdmin


@admin.register(Channel)
class ChannelAdmin(OwnedAdmin[Channel]):
    """Never what opens it."""

    list_display = ["name", "kind", "hint", "is_on", "created_by", "created_at"]
    list_filter = ["kind", "is_on"]
    list_select_related = ["created_by"]
    search_fields = ["name"]
    fields = ["name", "kind", "hint", "kinds", "priorities", "is_on", "seen", "created_by", "created_at"]


@admin.register(Delivery)
class DeliveryAdmin(OwnedAdmin[Delivery]):
    list_display = ["created_at", "kind", "to", "state", "attempts", "error", "sent_at"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["channel", "person"]
    search_fields = ["channel__name", "person__name", "person__email", "error"]
    ordering = ["-created_at", "-seq"]
    fields = [
        "id",
        "kind",
        "to",
        "seq",
        "state",
        "attempts",
        "error",
        "created_at",
        "next_try_at",
        "give_up_at",
        "sent_at",
    ]
    actions = ["send_again"]

    @admin.display(description="to")
    def to(self, delivery: Delivery) -> str:
        return str(delivery.channel or delivery.person)

    @admin.action(description="Send again what was given up")
    def send_again(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """The oldest first, as they would have gone."""
        for delivery in deliveries.select_related("channel", "person", "account").order_by("seq"):
            try:
                actions.replay(delivery)
            except Refusal as refusal:
                self.message_user(request, f"{delivery}: {refusal}", messages.WARNING)
            else:
                self.log_change(request, delivery, "Sent again.")
                self.message_user(request, f"{delivery}: it is on its way.", messages.SUCCESS)
