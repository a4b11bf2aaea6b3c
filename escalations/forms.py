"""What people type. Each error names its field and keeps the text."""

import zoneinfo
from typing import Any
from uuid import UUID

from django import forms

from escalations.models import Draft, Handoff, NotificationPreference, TriedStep
from escalations.models.feedback import WHY_LENGTH
from escalations.models.handoff import REASON_LENGTH
from escalations.models.offer import NOTE_LENGTH
from escalations.models.session import (
    BODY_LENGTH,
    CLIENT_LENGTH,
    RESOLUTION_LENGTH,
    STEP_LENGTH,
    TICKET_LENGTH,
    TITLE_LENGTH,
)
from resolutionflow.accounts.models import Account


def _text(length: int, *, required: bool = True, rows: int = 0, **attributes: str) -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": rows, **attributes}) if rows else forms.TextInput(attrs=attributes)
    return forms.CharField(max_length=length, required=required, widget=widget)


class PageForm(forms.Form):
    """Ids of their own, because a page shows several forms; Django ties each error to its field by them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"{type(self).__name__.lower()}-%s"} | kwargs)


class StartForm(PageForm):
    title = _text(TITLE_LENGTH, placeholder="What does not work?")
    client_name = _text(CLIENT_LENGTH, required=False, placeholder="Which client?")
    ticket_ref = _text(TICKET_LENGTH, required=False, placeholder="#12345")
    problem = _text(
        BODY_LENGTH, required=False, rows=4, placeholder="Since when, for whom, the exact error, what changed before…"
    )


class MessageForm(PageForm):
    body = _text(BODY_LENGTH, rows=2)
    step_handoff = forms.UUIDField(required=False, widget=forms.HiddenInput)
    step_index = forms.IntegerField(required=False, min_value=0, max_value=99, widget=forms.HiddenInput)

    def __init__(self, *args: Any, has_files: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].required = not has_files


class DraftForm(PageForm):
    """What a page saves of itself; the text keeps the white space around it."""

    field = forms.ChoiceField(choices=Draft.Field.choices)
    text = forms.CharField(max_length=BODY_LENGTH, required=False, strip=False)
    sent = forms.IntegerField(min_value=0, max_value=2_000_000_000)
    page = forms.CharField(max_length=40)
    turn = forms.IntegerField(min_value=0, max_value=2_000_000_000)
    step_handoff = forms.UUIDField(required=False)
    step_index = forms.IntegerField(required=False, min_value=0, max_value=99)


class RevealForm(PageForm):
    number = forms.IntegerField(min_value=1, max_value=1_000_000)


class StepForm(PageForm):
    description = _text(STEP_LENGTH, placeholder="What did you try?")
    outcome = forms.ChoiceField(choices=TriedStep.Outcome.choices, initial=TriedStep.Outcome.FAILED)
    note = _text(STEP_LENGTH, required=False, placeholder="What did you see? (optional)")


class EscalateForm(PageForm):
    reason = _text(REASON_LENGTH, rows=4, placeholder="Where are you stuck, and what do you need?")
    priority = forms.ChoiceField(choices=Handoff.Priority.choices, initial=Handoff.Priority.NORMAL)


class ResolveForm(PageForm):
    resolution = _text(RESOLUTION_LENGTH, rows=4, placeholder="What was it, and what fixed it?")


class FeedbackForm(PageForm):
    helpful = forms.TypedChoiceField(choices=[("yes", "Yes"), ("no", "No")], coerce=lambda said: said == "yes")
    why = _text(WHY_LENGTH, required=False, placeholder="In a few words, if you like")


class ReleaseForm(PageForm):
    reason = _text(REASON_LENGTH, required=False, rows=2)


class HandToForm(PageForm):
    to = forms.UUIDField()
    note = _text(NOTE_LENGTH, required=False, placeholder="What do they know that you do not?")


HIGHEST_POSITION = 2**63 - 1  # of a feed
MOST_READ = 200  # offers at once


class SinceForm(forms.Form):
    since = forms.IntegerField(required=False, min_value=0, max_value=HIGHEST_POSITION)


class ReadForm(forms.Form):
    up_to = forms.IntegerField(min_value=0, max_value=HIGHEST_POSITION)
    offers = forms.CharField(required=False, max_length=MOST_READ * len(f"{UUID(int=0)} "))

    def clean_offers(self) -> list[UUID]:
        try:
            return [UUID(each) for each in self.cleaned_data["offers"].split()]
        except ValueError as error:
            raise forms.ValidationError("Offers have ids.") from error


def _least() -> forms.ChoiceField:
    return forms.ChoiceField(choices=NotificationPreference.Least.choices, required=False)


def _clock() -> forms.TimeField:
    wrong = {"invalid": "Write a time such as 22:00."}
    widget = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
    return forms.TimeField(required=False, widget=widget, error_messages=wrong)


class PreferenceForm(PageForm):
    """A person's notifications: four ways and their quiet hours."""

    bell, desktop, sound, email = _least(), _least(), _least(), _least()
    quiet_from, quiet_until = _clock(), _clock()
    time_zone = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(name, name.replace("_", " ")) for name in sorted(zoneinfo.available_timezones())]
        as_account = ("", f"As {account} has it ({account.time_zone})")
        self.fields["time_zone"] = forms.ChoiceField(required=False, choices=[as_account, *zones])

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = told.get("quiet_from"), told.get("quiet_until")
        if "quiet_from" in told and "quiet_until" in told:
            if (start is None) != (end is None):
                self.add_error("quiet_until" if end is None else "quiet_from", "Say both, from and until, or neither.")
            elif start is not None and start == end:
                self.add_error("quiet_until", "Choose another time than the one they begin at.")
        return told
