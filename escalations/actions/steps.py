"""The ledger of tried steps: record, merge what stands there twice, or keep it apart."""

from django.db.models import Max

from escalations.actions import leases
from escalations.actions.conversation import change, lock_as_holder
from escalations.actions.refusals import Conflict, require_engineer
from escalations.actions.secrets import hide_all
from escalations.actions.suggestions import SuggestedStep
from escalations.actions.transaction import in_transaction
from escalations.live import announce
from escalations.models import AISession, Message, TriedStep
from escalations.models.session import STEP_LENGTH
from resolutionflow.accounts.models import User


@in_transaction
def record_step(
    session: AISession,
    *,
    by: User,
    description: str,
    outcome: str,
    note: str = "",
    source_message: Message | None = None,
    suggestion: SuggestedStep | None = None,
) -> TriedStep:
    """Record what was tried; of a message or a suggested step just once, which is then its outcome.

    Raises NotAllowed for anybody but the holder, Conflict once the session is closed or it is recorded already.
    """
    require_engineer(by)
    leases.keep(session, by=by)
    lock_as_holder(session, by=by)
    if source_message and source_message.step_use:
        suggestion = SuggestedStep.of(source_message)
    asking = _first_sent(session, suggestion) if suggestion else source_message
    source_message = source_message or asking
    _require_first_record(session, source_message, suggestion)
    description, note = hide_all(session, [description, note], length=STEP_LENGTH)
    last = session.steps.aggregate(last=Max("position"))["last"] or 0
    step = TriedStep.objects.create(
        session=session,
        position=last + 1,
        description=description,
        outcome=outcome,
        note=note,
        by=by,
        source_message=source_message,
        step_handoff=suggestion.handoff if suggestion else None,
        step_index=suggestion.index if suggestion else None,
    )
    change(session, lambda version: announce.step_recorded(step, version))
    if asking:
        change(session, lambda version: announce.message_posted(asking, version))  # which now shows how it went
    return step


@in_transaction
def merge(step: TriedStep, other: TriedStep, *, by: User) -> TriedStep:
    """Say that the two are the same step: the later one stands, with the earlier one in it.

    Raises NotAllowed for anybody but the holder, Conflict where one of them is merged already.
    """
    require_engineer(by)
    session = step.session
    lock_as_holder(session, by=by)
    pair = session.steps.standing().filter(pk__in=[step.pk, other.pk]).order_by("position")
    if len(pair) != 2:
        raise Conflict("These steps are merged already. Reload the page to see the ledger as it is.")
    earlier, later = pair
    session.steps.filter(merged_into=earlier).update(merged_into=later)
    session.steps.filter(pk=earlier.pk).update(merged_into=later)
    change(session)
    return later


@in_transaction
def keep_apart(step: TriedStep, *, by: User) -> None:
    """Say that `step` repeats none of the earlier ones; that is not asked again.

    Raises NotAllowed for anybody but the holder, Conflict once the session is closed.
    """
    require_engineer(by)
    lock_as_holder(step.session, by=by)
    step.session.steps.filter(pk=step.pk).update(kept_apart=True)
    change(step.session)


def _first_sent(session: AISession, suggestion: SuggestedStep) -> Message | None:
    """The message with which a suggested step was sent first, if it was: it asks how the step went."""
    return session.messages.filter(step_handoff=suggestion.handoff, step_index=suggestion.index).first()


def _require_first_record(session: AISession, message: Message | None, suggestion: SuggestedStep | None) -> None:
    """The session's lock is held, so nobody else records it meanwhile."""
    recorded = session.steps.filter(source_message=message).first() if message else None
    if suggestion and not recorded:
        recorded = session.steps.filter(step_handoff=suggestion.handoff, step_index=suggestion.index).first()
    if recorded:
        raise Conflict(f"How it went is recorded already: {recorded.get_outcome_display().lower()}.")
