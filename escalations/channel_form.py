"""What an owner or admin types about a channel: one form, whose words and checks follow the kind."""

from typing import Any, NamedTuple

from django import forms
from django.core.validators import validate_email

from escalations.models import Channel, FeedEvent, Handoff
from escalations.models.channel import NAME_LENGTH, TOLD
from escalations.notifications import chat, webhook
from resolutionflow.outside import LONGEST, Unreachable

Kind = Channel.Kind


class Words(NamedTuple):
    """What a kind calls its target, where people find that, and an example."""

    what: str
    label: str
    help: str
    example: str


WORDS = {
    Kind.WEBHOOK: Words(
        "Every event as signed JSON, in order, to a program of your own.",
        "Address",
        "An https address of your own that takes POST and answers 2xx.",
        "https://hooks.example.org/escalations",
    ),
    Kind.TICKET: Words(
        "A short note for the ticket: who escalated, who has it, what fixed it. Only for sessions with a ticket.",
        "Address",
        "An https address at your ticket system, or a small program in front of it, that takes POST and writes the "
        "note.",
        "https://tickets.example.org/hooks/notes",
    ),
    Kind.SLACK: Words(
        "A line in a channel of Slack.",
        "Incoming webhook",
        "In Slack: Apps → Incoming Webhooks → Add to Slack, choose the channel, copy the webhook URL.",
        "https://hooks.slack.com/services/T…/B…/…",
    ),
    Kind.TEAMS: Words(
        "A card in a channel of Teams.",
        "Address of the workflow",
        "In Teams: the channel's ⋯ → Workflows → “Send webhook alerts to a channel”, then copy the address it shows.",
        "https://….api.powerplatform.com/powerautomate/…",
    ),
    Kind.PAGERDUTY: Words(
        "An incident that stands while somebody has to come, and ends with the pick-up.",
        "Integration key",
        "In PagerDuty: the service → Integrations → Events API v2, copy the integration key. Write eu: before it if "
        "your PagerDuty is the European one.",
        "32 letters and digits",
    ),
    Kind.NTFY: Words(
        "A push message by ntfy.sh.",
        "Topic",
        "The topic that your phones are subscribed to. Who knows its name can read it: choose one that nobody guesses.",
        "harbor-it-9f2c7b",
    ),
    Kind.EMAIL: Words(
        "An e-mail to a mailbox of the team. What people get themselves, each chooses for themselves.",
        "E-mail address",
        "A list or a shared mailbox, such as the one of who is on call.",
        "oncall@example.org",
    ),
}
SHOWN_ONCE = "What signs its requests is shown once, when you have added it."
INCIDENTS = "Incidents that stand when the key changes have to be resolved in PagerDuty."
STARTS_WITH = {  # which events are ticked at first
    Kind.WEBHOOK: TOLD,
    Kind.TICKET: (FeedEvent.Kind.CREATED, FeedEvent.Kind.PICKED_UP, FeedEvent.Kind.RESOLVED),
    Kind.PAGERDUTY: TOLD,
}
EVENTS = {
    FeedEvent.Kind.CREATED: "Escalated",
    FeedEvent.Kind.PICKED_UP: "Picked up",
    FeedEvent.Kind.RELEASED: "Put back into the queue",
    FeedEvent.Kind.TAKEN_BACK: "Taken back",
    FeedEvent.Kind.RESOLVED: "Resolved",
}


def _ticks(label: str, choices: Any) -> forms.MultipleChoiceField:
    required = {"required": "Tick at least one."}
    return forms.MultipleChoiceField(
        label=label, choices=choices, widget=forms.CheckboxSelectMultiple, error_messages=required
    )


def _help(kind: Channel.Kind, channel: Channel | None) -> str:
    """What stands below the target."""
    told = WORDS[kind].help
    if channel is None:
        return f"{told} {SHOWN_ONCE}" if kind in Channel.SIGNED else told
    told = f"In use: {channel.hint}. Leave this empty to keep it. {told}"
    return f"{told} {INCIDENTS}" if kind == Kind.PAGERDUTY else told


def _as_it_is(channel: Channel) -> dict[str, Any]:
    return {"name": channel.name, "kinds": channel.kinds, "priorities": channel.priorities}


class ChannelForm(forms.Form):
    name = forms.CharField(label="Name", max_length=NAME_LENGTH)
    target = forms.CharField(max_length=LONGEST, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    kinds = _ticks("Tell it when a session is", list(EVENTS.items()))
    priorities = _ticks("Of priority", Handoff.Priority.choices)

    def __init__(self, data: Any = None, *, kind: Channel.Kind, channel: Channel | None = None) -> None:
        """With `channel` the form of one that there is, whose target may stay empty."""
        begin = {"kinds": STARTS_WITH.get(kind, (FeedEvent.Kind.CREATED,)), "priorities": Handoff.Priority.values}
        super().__init__(data, initial=_as_it_is(channel) if channel else {"name": kind.label, **begin})
        self.kind, self.words = kind, WORDS[kind]
        target = self.fields["target"]
        target.label, target.help_text = self.words.label, _help(kind, channel)
        target.widget.attrs |= {"placeholder": self.words.example, "aria-describedby": "target-help"}
        if channel:
            target.required = False
            target.label = f"New {target.label[0].lower()}{target.label[1:]}"

    def clean_target(self) -> str:
        told = str(self.cleaned_data["target"]).strip()
        if not told:
            return ""  # as far as it may be
        try:
            if self.kind in Channel.SIGNED:
                webhook.host_of(told)
            elif self.kind == Kind.EMAIL:
                validate_email(told)
            else:
                chat.read(self.kind, told)
        except (Unreachable, ValueError) as error:
            raise forms.ValidationError(str(error)) from error
        return told
