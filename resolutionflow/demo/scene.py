"""One case on the stage: what each beat leaves behind, in the shapes and words of `escalations.actions`.

The verbs here are those of the actions, with a time of their own. Sessions and handoffs are written when they have
their final state, because triggers guard every later change; messages and steps as soon as somebody has to read them
(a snapshot, the playbook).
"""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from escalations import knowledge, snapshot
from escalations.assessor import playbook
from escalations.assessor.words import overlap
from escalations.models import AISession, Assessment, FeedEvent, Handoff, Message, TriedStep
from resolutionflow.accounts.models import Account, User
from resolutionflow.demo.cases import Case, Step
from resolutionflow.demo.feed import Feed

BUDGET = timedelta(seconds=5)
SAME_THING = 0.35  # share of words from which a suggestion counts as the step that was then recorded

RECORDS_IT = 0.7
TELLS_SOMETHING = 0.45


class Scene:
    """A session, its conversation, and the handoff that was opened last."""

    def __init__(self, account: Account, case: Case, feed: Feed, chance: random.Random) -> None:
        self.feed, self.case, self.chance = feed, case, chance
        self.session = AISession(
            id=self._new_id(),
            account=account,
            title=case.title,
            client_name=case.client_name,
            ticket_ref=case.ticket_ref,
            category=case.category,
            problem=case.problem,
        )
        self.messages: list[Message] = []
        self.steps: list[TriedStep] = []
        self.written = (0, 0)
        self.handoffs: list[Handoff] = []
        self.assessments: list[Assessment] = []
        self.suggestion: Message | None = None  # sent, and not yet recorded as a step

    # The conversation

    def start(self, at: datetime, *, by: User) -> None:
        self.session.started_by = by
        self.session.created_at = at
        self._give(at, to=by, state=AISession.State.ACTIVE, changes=0)

    def say(self, at: datetime, *, kind: Message.Kind, body: str, by: User | None = None, **fields: Any) -> Message:
        message = Message(
            id=self._new_id(),
            session=self.session,
            number=len(self.messages) + 1,
            kind=kind,
            author=by,
            body=body,
            created_at=at,
            **fields,
        )
        self.messages.append(message)
        self.session.version += 1
        return message

    def record(self, at: datetime, *, by: User, step: Step) -> None:
        """A tried step. The one that worked comes from the suggestion that was sent, if there was one like it."""
        source, self.suggestion = (self.suggestion, None) if step.outcome == "worked" else (None, self.suggestion)
        self._add_step(at, by=by, step=step, source=source)

    def send_suggestion(self, at: datetime, *, by: User, edited: bool, instead: str) -> None:
        """The suggested step that is most like what helped in the end, as a message; without any, `instead`."""
        index, step = self._best_suggestion()
        if step is None:
            self.say(at, kind=Message.Kind.ENGINEER, body=instead, by=by)
            return
        use = Message.StepUse.EDITED if edited else Message.StepUse.UNCHANGED
        body = f"Trying this first: {step['text']}" if edited else step["text"]
        provenance = {"step_handoff": self.handoffs[-1], "step_index": index, "step_use": use}
        message = self.say(at, kind=Message.Kind.ENGINEER, body=body, by=by, **provenance)
        if overlap(step["text"], self._decisive()) >= SAME_THING:
            self.suggestion = message
        elif self.chance.random() < RECORDS_IT:
            self._add_step(at + timedelta(seconds=45), by=by, step=self._outcome_of(step), source=message)

    def _best_suggestion(self) -> tuple[int, dict[str, Any] | None]:
        data = self.assessments[-1].data
        steps = enumerate(data["suggested_steps"] if data else [])
        return max(steps, key=lambda pair: overlap(pair[1]["text"], self._decisive()), default=(0, None))

    def _outcome_of(self, step: dict[str, Any]) -> Step:
        """How a suggestion went that was not the solution: a look that the runbook advises often tells something."""
        told_something = step["sources"][0]["kind"] == "runbook" and "warning" not in step
        if told_something and self.chance.random() < TELLS_SOMETHING:
            return Step(step["text"], "worked", "Told us which side to look at.")
        return Step(step["text"], self.chance.choice(["failed", "inconclusive"]))

    # The handoff

    def escalate(self, at: datetime, *, by: User, reason: str, priority: str) -> None:
        self._write_conversation()
        handoff = Handoff(
            id=self._new_id(),
            account=self.session.account,
            session=self.session,
            created_by=by,
            created_at=at,
            reason=reason,
            priority=priority,
            snapshot=snapshot.of(self.session),
        )
        self.handoffs.append(handoff)
        self._change(state=AISession.State.ESCALATED)
        self._tell(at, f"{by.name} escalated: {reason}", by=by)
        self.assessments.append(Assessment(handoff=handoff, requested_at=at, deadline=at + BUDGET))
        frozen = {"snapshot_sha256": snapshot.digest(handoff.snapshot)}
        self.feed.append(FeedEvent.Kind.CREATED, handoff, by=by, at=at, data=frozen)

    def assess(self, at: datetime, *, state: Assessment.State, reason: str = "") -> None:
        """What came of it. A ready one is the playbook's, from the sessions that were resolved by then."""
        assessment, handoff = self.assessments[-1], self.handoffs[-1]
        assessment.state, assessment.reason, assessment.finished_at = state, reason, at
        if state == Assessment.State.READY:
            self._assess()
        else:
            assessment.attempt = 1
        self._change()
        self.feed.append(FeedEvent.Kind.ASSESSED, handoff, by=None, at=at)

    def look_again(self) -> None:
        """What still waits is assessed with all that the playbook can do."""
        if self.session.is_open and self.handoffs and self.handoffs[-1].is_waiting and self.assessments[-1].data:
            self._assess()

    def _assess(self) -> None:
        assessment = self.assessments[-1]
        assessment.data = playbook.assess(knowledge.case_of_handoff(self.handoffs[-1])).as_data()
        assessment.assessor = "playbook"

    def pick_up(self, at: datetime, *, by: User) -> None:
        handoff = self._close(Handoff.State.PICKED_UP, picked_up_by=by, picked_up_at=at)
        self._give(at, to=by, state=AISession.State.ACTIVE)
        self._tell(at, f"{by.name} picked it up.", by=by)
        self.feed.append(FeedEvent.Kind.PICKED_UP, handoff, by=by, at=at)

    def release(self, at: datetime, *, by: User, reason: str) -> None:
        handoff = self._close(Handoff.State.WAITING, picked_up_by=None, picked_up_at=None)
        self._give(at, to=handoff.created_by, state=AISession.State.ESCALATED)
        why = f": {reason}" if reason else "."
        self._tell(at, f"{by.name} put it back into the queue{why}", by=by)
        self.feed.append(FeedEvent.Kind.RELEASED, handoff, by=by, at=at, data={"reason": reason})

    def take_back(self, at: datetime, *, by: User) -> None:
        handoff = self._close(Handoff.State.TAKEN_BACK, taken_back_at=at)
        self._give(at, to=by, state=AISession.State.ACTIVE)
        self._tell(at, f"{by.name} took the escalation back.", by=by)
        self.feed.append(FeedEvent.Kind.TAKEN_BACK, handoff, by=by, at=at)

    def resolve(self, at: datetime, *, by: User) -> None:
        """The end: the session is written, and from here on the playbook knows it."""
        self._tell(at, f"{by.name} resolved the session.", by=by)
        self._change(state=AISession.State.RESOLVED, resolved_at=at, resolved_by=by, resolution=self.case.resolution)
        self._write_conversation()
        self.session.save(force_insert=True)
        knowledge.learn(self.session)
        if self.handoffs and self.handoffs[-1].state == Handoff.State.PICKED_UP:
            handoff = self._close(Handoff.State.RESOLVED, resolved_at=at)
            self.feed.append(FeedEvent.Kind.RESOLVED, handoff, by=by, at=at)

    def write_rest(self) -> None:
        """Write what has not ended."""
        if self.session.is_open:
            self._write_conversation()
            self.session.save(force_insert=True)
        Handoff.objects.bulk_create(self.handoffs)
        Assessment.objects.bulk_create(self.assessments)

    # Rows

    def _new_id(self) -> uuid.UUID:
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)

    def _decisive(self) -> str:
        return next((step.description for step in self.case.steps if step.outcome == "worked"), self.case.resolution)

    def _add_step(self, at: datetime, *, by: User, step: Step, source: Message | None) -> None:
        self.steps.append(
            TriedStep(
                id=self._new_id(),
                session=self.session,
                position=len(self.steps) + 1,
                description=step.description,
                outcome=step.outcome,
                note=step.note,
                by=by,
                source_message=source,
                step_handoff=source.step_handoff if source else None,
                step_index=source.step_index if source else None,
                created_at=at,
            )
        )
        self.session.version += 1

    def _tell(self, at: datetime, body: str, *, by: User) -> None:
        self.say(at, kind=Message.Kind.SYSTEM, body=body, by=by)

    def _give(self, at: datetime, *, to: User, state: AISession.State, changes: int = 1) -> None:
        self._change(changes, holder=to, held_since=at, state=state)

    def _change(self, count: int = 1, **fields: Any) -> None:
        self.session.version += count
        _set(self.session, fields)

    def _close(self, state: Handoff.State, **fields: Any) -> Handoff:
        handoff = self.handoffs[-1]
        _set(handoff, {"state": state, **fields})
        return handoff

    def _write_conversation(self) -> None:
        messages, steps = self.written
        Message.objects.bulk_create(self.messages[messages:])
        TriedStep.objects.bulk_create(self.steps[steps:])
        self.written = (len(self.messages), len(self.steps))


def _set(row: object, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
