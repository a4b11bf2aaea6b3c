"""Why a verb says no. Every door turns these into its own kind of answer; the words are for people."""

from escalations.models import Handoff
from resolutionflow.accounts.models import User


class Refusal(Exception):
    """`status` is the HTTP status of the answer, `str()` a sentence for the person."""

    status = 409

    @property
    def facts(self) -> dict[str, object]:
        """More for programs, beside `detail`."""
        return {}


class NotAllowed(Refusal):
    """This person may not do that."""

    status = 403


class Conflict(Refusal):
    """It was possible a moment ago, or will be; not now."""


class AlreadyPickedUp(Conflict):
    """The race was lost; `handoff` says who won."""

    def __init__(self, handoff: Handoff) -> None:
        self.handoff = handoff
        super().__init__(f"{handoff.picked_up_by} has it already.")

    @property
    def facts(self) -> dict[str, object]:
        winner = self.handoff.picked_up_by
        return {
            "picked_up_by": {"id": winner.pk, "name": winner.name} if winner else None,
            "picked_up_at": self.handoff.picked_up_at,
        }


def require_engineer(by: User) -> None:
    if not by.may_work:
        raise NotAllowed("You can look, but not change anything: your role is viewer.")
