"""A handoff with an assessment of known words, made without a worker."""

from typing import Any

from escalations.actions import assessments, handoffs, sessions
from escalations.models import AISession, Assessment, Handoff
from resolutionflow.accounts.models import User
from tests.factories import SessionFactory

STEPS = ["Delete the cached token", "Wipe the profile and make it anew", "Read the sign-in log"]
WARNING = "Changes or removes something: check what depends on it first."


def assessed_handoff(*, by: User, picker: User, settings: Any, talk: int = 1, **session_told: str) -> Handoff:
    """Escalated by one, picked up by the other, after `talk` lines; the first of them is a source."""
    settings.ASSESSMENT_MODEL = "none"  # in this process only: the server's worker has nothing to do
    fixed = SessionFactory(by=by, title="Old case", resolved=True)
    session = SessionFactory(by=by, **{"problem": ""} | session_told)
    for number in range(talk):
        sessions.post(session, by=by, body=f"Line {number}: it asks for the password again.")
    handoff = handoffs.escalate(session, by=by, reason="Stuck.")
    Assessment.objects.filter(handoff=handoff).update(state="failed", reason="It broke.")
    assessments.store(handoff, data=data(session, fixed), made_by="playbook")
    return handoffs.pick_up(handoff, by=picker)


def data(session: AISession, fixed: AISession) -> dict[str, Any]:
    """Every kind of source, a warning, and statements that rest on nothing."""
    first = session.messages.earliest("number")
    said = {"kind": "message", "id": str(first.pk), "title": f"message {first.number}"}
    known = {"kind": "session", "id": str(fixed.pk), "title": fixed.title}
    page = {"kind": "runbook", "id": "sign-in", "title": "Sign-in and passwords"}
    return {
        "summary_prose": "The sign-in loops.",
        "what_we_know": ["It asks again."],
        "likely_cause": "The moon.",
        "suggested_steps": [
            {"text": STEPS[0], "sources": [known]},
            {"text": STEPS[1], "sources": [page], "warning": WARNING},
            {"text": STEPS[2], "sources": []},
        ],
        "confidence": "medium",
        "sources": [known],
        "grounds": {
            "summary_prose": {"sources": [said], "unsupported": False},
            "likely_cause": {"sources": [], "unsupported": True},
            "what_we_know": [{"sources": [said], "unsupported": False}],
        },
    }
