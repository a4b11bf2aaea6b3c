"""Who assesses, and who answers in the chat: chosen by ASSESSMENT_MODEL."""

from django.conf import settings

from escalations.assessor import Assessment, Case, playbook


def is_on() -> bool:
    """False where AI is switched off (ASSESSMENT_MODEL=none)."""
    return str(settings.ASSESSMENT_MODEL) != "none"


def name() -> str:
    return str(settings.ASSESSMENT_MODEL)


def assess(case: Case) -> Assessment:
    """The chosen assessor's result. May raise anything and take any time: callers bound both."""
    return playbook.assess(case)
