"""The truth, to be read. States change through the verbs of `actions`, never by editing a row."""

from escalations.admin.assessments import AssessmentAdmin
from escalations.admin.attachments import AttachmentAdmin
from escalations.admin.channels import ChannelAdmin, DeliveryAdmin
from escalations.admin.feed import FeedEventAdmin
from escalations.admin.handoffs import HandoffAdmin
from escalations.admin.jobs import JobAdmin
from escalations.admin.model_calls import ModelCallAdmin, RevealAdmin
from escalations.admin.runbooks import RunbookAdmin
from escalations.admin.sessions import SessionAdmin

__all__ = [
    "AssessmentAdmin",
    "AttachmentAdmin",
    "ChannelAdmin",
    "DeliveryAdmin",
    "FeedEventAdmin",
    "HandoffAdmin",
    "JobAdmin",
    "ModelCallAdmin",
    "RevealAdmin",
    "RunbookAdmin",
    "SessionAdmin",
]
