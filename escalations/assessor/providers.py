"""Who assesses, and who answers in the chat: chosen by ASSESSMENT_MODEL, and by the account."""

from typing import Protocol

from django.conf import settings

from escalations.assessor import Assessment, Case, playbook
from escalations.assessor.llm import Connection

NONE, PLAYBOOK = "none", "playbook"


class Account(Protocol):
    """What an account says about AI: as the `installation` is set up, `playbook` alone, or `none`."""

    ai: str


def name_for(account: Account) -> str:
    """none, playbook, or provider:model."""
    installed = str(settings.ASSESSMENT_MODEL)
    if NONE in {installed, account.ai}:
        return NONE
    return PLAYBOOK if account.ai == PLAYBOOK else installed


def is_on(account: Account) -> bool:
    """False where AI is switched off, for the installation or for this account."""
    return name_for(account) != NONE


def is_installed() -> bool:
    """False where this installation has no AI at all."""
    return str(settings.ASSESSMENT_MODEL) != NONE


def model_for(account: Account) -> Connection | None:
    """The model that this account's questions go to; None where the playbook answers."""
    return installed_model() if ":" in name_for(account) else None


def installed_model() -> Connection | None:
    """The installation's model; None where it has none."""
    name = str(settings.ASSESSMENT_MODEL)
    return Connection(name, settings.MODEL_API_KEY, settings.MODEL_BASE_URL) if ":" in name else None


def assess(case: Case) -> Assessment:
    """The playbook's result. May raise anything and take any time: callers bound both."""
    return playbook.assess(case)
