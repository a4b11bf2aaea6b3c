"""What people type. Each error names its field and keeps the text."""

from typing import Any

from django import forms

from escalations.models import Handoff, TriedStep
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
