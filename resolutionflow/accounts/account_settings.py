"""An account's settings, as its owners and admins change them: in sections, each with a form of its own.

A further setting is a field in the `fields` of a section here; the page and the audit trail follow.
"""

import zoneinfo
from typing import Any, ClassVar

from django import forms

from escalations.actions import pruning
from escalations.actions.refusals import NotAllowed
from escalations.actions.transaction import in_transaction
from resolutionflow.accounts.models import Account, User
from resolutionflow.trail import record


class Section(forms.ModelForm):  # type: ignore[type-arg]  # takes none at run time
    """Some settings with one button. `more` is a template with what belongs beside the fields."""

    heading: ClassVar[str]
    lead: ClassVar[str] = ""
    more: ClassVar[str] = ""


class General(Section):
    heading = "Name and time"
    more = "accounts/_settings_zones.html"

    class Meta:
        model = Account
        fields = ["name", "time_zone"]
        labels = {"name": "Name of the account", "time_zone": "Time zone"}
        help_texts = {
            "name": "As everybody in the account sees it.",
            "time_zone": "An IANA name. All times are shown in it, and days of the figures begin and end by it.",
        }
        widgets = {"time_zone": forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"})}

    @property
    def zones(self) -> list[str]:
        return sorted(zoneinfo.available_timezones())


class AI(Section):
    heading = "AI"
    more = "accounts/_settings_ai.html"

    class Meta:
        model = Account
        fields = ["ai"]
        labels = {"ai": "Who assesses and answers"}
        help_texts = {"ai": "What has been assessed stays. Handoffs work without AI, too."}


class TicketLinks(Section):
    heading = "Ticket links"
    lead = "References of tickets become links into your own system, wherever they are shown."
    more = "accounts/_settings_tickets.html"

    class Meta:
        model = Account
        fields = ["ticket_url_template"]
        labels = {"ticket_url_template": "Address of a ticket"}
        help_texts = {
            "ticket_url_template": "Put {ticket} where the reference belongs as it was typed, or {number} for its "
            "digits alone. Empty: no links."
        }
        widgets = {"ticket_url_template": forms.TextInput(attrs={"inputmode": "url", "spellcheck": "false"})}

    def clean_ticket_url_template(self) -> str:
        return str(self.cleaned_data["ticket_url_template"]).strip()


class Lease(Section):
    heading = "Claims"
    lead = (
        "Whoever picks up and neither writes nor records a step is warned, and then gives it back to the queue, at its "
        "old age. Their first message or step keeps it."
    )

    class Meta:
        model = Account
        fields = ["lease_minutes"]
        labels = {"lease_minutes": "Minutes to begin after a pick-up"}
        help_texts = {"lease_minutes": "From 1 to 1440. Empty: it stays with whoever picked it up."}


class Keeping(Section):
    """Fewer days mean that something is removed, so that is said first and then asked."""

    heading = "How long sessions are kept"
    lead = (
        "Closed sessions that are older are removed every night, with all that was written in them, and cannot be "
        "brought back. Of those that were escalated, who did what and when stays for the figures."
    )
    more = "accounts/_settings_keeping.html"
    confirmed = forms.IntegerField(required=False, widget=forms.HiddenInput)  # the number of days that was asked about

    class Meta:
        model = Account
        fields = ["keep_days"]
        labels = {"keep_days": "Days to keep closed sessions"}
        help_texts = {"keep_days": "Empty: they are kept for ever."}

    asks = False
    goes = 0

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        days, before = told.get("keep_days"), self.initial.get("keep_days")
        if days is not None and (before is None or days < before) and told.get("confirmed") != days:
            self.asks = True
            self.goes = pruning.due(self.instance, before=pruning.cutoff(days)).count()
            raise forms.ValidationError("Nothing is changed yet: please look at what will be removed.")
        return told


SECTIONS: dict[str, type[Section]] = {
    "general": General,
    "ai": AI,
    "claims": Lease,
    "tickets": TicketLinks,
    "keeping": Keeping,
}


def require_manager(by: User) -> None:
    """Raises NotAllowed for anybody but owners and admins."""
    if not by.may_manage_people:
        raise NotAllowed("Only owners and admins of the account see and change its settings.")


def sections_of(account: Account) -> dict[str, Section]:
    """Each section as the account is."""
    return {key: section(instance=account) for key, section in SECTIONS.items()}


@in_transaction
def save(section: Section, *, by: User) -> list[str]:
    """Write what was changed in a valid section, and only that; gives the fields, which the audit trail names.

    Raises NotAllowed for anybody but the account's owners and admins.
    """
    require_manager(by)
    account: Account = section.instance
    changed = [name for name in section.changed_data if name in (section._meta.fields or ())]
    if changed:
        account.save(update_fields=changed)
        record("settings_changed", account=account, by=by, about=f"account {account.pk}", fields=", ".join(changed))
    return changed
