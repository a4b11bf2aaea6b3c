"""What is true. Only `actions` (and migrations, the demo and tests) write here."""

from escalations.models.assessment import Assessment
from escalations.models.attachment import Attachment
from escalations.models.channel import Channel
from escalations.models.delivery import Delivery
from escalations.models.draft import Draft
from escalations.models.feed import FeedCounter, FeedEvent
from escalations.models.feedback import Feedback
from escalations.models.findable import Findable
from escalations.models.handoff import Handoff
from escalations.models.lesson import Lesson
from escalations.models.meaning import Meaning
from escalations.models.model_call import ModelCall
from escalations.models.offer import Offer
from escalations.models.preference import NotificationPreference
from escalations.models.refused import RefusedPickup
from escalations.models.runbook import Runbook
from escalations.models.secret import Reveal, Secret
from escalations.models.session import AISession, Message, TriedStep

__all__ = [
    "AISession",
    "Assessment",
    "Attachment",
    "Channel",
    "Delivery",
    "Draft",
    "FeedCounter",
    "FeedEvent",
    "Feedback",
    "Findable",
    "Handoff",
    "Lesson",
    "Meaning",
    "Message",
    "ModelCall",
    "NotificationPreference",
    "Offer",
    "RefusedPickup",
    "Reveal",
    "Runbook",
    "Secret",
    "TriedStep",
]
