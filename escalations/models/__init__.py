"""What is true. Only `actions` (and migrations, the demo and tests) write here."""

from escalations.models.assessment import Assessment
from escalations.models.feed import FeedCounter, FeedEvent
from escalations.models.feedback import Feedback
from escalations.models.handoff import Handoff
from escalations.models.lesson import Lesson
from escalations.models.meaning import Meaning
from escalations.models.model_call import ModelCall
from escalations.models.refused import RefusedPickup
from escalations.models.runbook import Runbook
from escalations.models.secret import Reveal, Secret
from escalations.models.session import AISession, Message, TriedStep

__all__ = [
    "AISession",
    "Assessment",
    "FeedCounter",
    "FeedEvent",
    "Feedback",
    "Handoff",
    "Lesson",
    "Meaning",
    "Message",
    "ModelCall",
    "RefusedPickup",
    "Reveal",
    "Runbook",
    "Secret",
    "TriedStep",
]
