"""From a handoff or a session to what is said about it: the case, who is asked, what holds, and who steps in.

The worker's tasks call this. It may take any time and be cancelled at any moment; `tasks` bounds it. Nothing here
writes but the note of each question to a model.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.db import connection

from escalations import copilot, grounding, knowledge
from escalations.actions import model_calls
from escalations.actions.model_calls import BudgetSpent
from escalations.assessor import Case, llm, providers
from escalations.assessor.llm import Connection, ModelFailed, Usage
from escalations.models import AISession, Handoff, ModelCall
from resolutionflow.accounts.models import Account

log = logging.getLogger(__name__)
R = TypeVar("R")

FALLBACK_SECONDS = 4.0
LONGEST_CALL = 70.0
NEXT_LOOK = 0.25  # seconds between two looks for a free place

# Thinking may hang; writing must not wait behind it.
_thinking = ThreadPoolExecutor(max_workers=12, thread_name_prefix="thinking")
_writing = ThreadPoolExecutor(max_workers=4, thread_name_prefix="writing")


def warm_up() -> None:
    """Begin to load the model's SDK, if there is a model: the first question would wait seconds for it."""
    if model := providers.installed_model():
        llm.warm_up(model)


async def write(work: Callable[[], R]) -> R:
    """Run what asks or changes the database a little, in a thread."""
    return await in_thread_of(_writing, work)


async def think(work: Callable[[], R]) -> R:
    """Run what may take long, in a thread."""
    return await in_thread_of(_thinking, work)


async def in_thread_of(pool: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    """Run `work` in one of the pool's threads, about whose rows its caller is, and give its connection back."""

    def run() -> R:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(pool, copy_context().run, run)


@dataclass(frozen=True)
class Made:
    """An assessment as it is stored. `reason` says why it is the playbook's although a model was asked."""

    data: dict[str, Any]
    made_by: str
    reason: str = ""


async def assess(handoff: Handoff) -> Made:
    """The assessment by whoever is chosen. Where the model fails, the playbook's, and why."""
    model = providers.model_for(handoff.account)
    if model is None:
        return await by_playbook(handoff)
    try:
        return await _by_model(handoff, model)
    except (ModelFailed, BudgetSpent) as error:
        log.warning("The playbook steps in for %s: %s", model.name, error)
        return await by_playbook(handoff, reason=str(error))


async def by_playbook(handoff: Handoff, *, reason: str = "") -> Made:
    """The playbook's assessment; `reason` if it steps in for a model."""
    data = await think(lambda: providers.assess(knowledge.case_of_handoff(handoff)).as_data())
    return Made({**data, "fallback": reason} if reason else data, providers.PLAYBOOK, reason)


async def instead_of_model(handoff: Handoff, *, reason: str) -> Made | None:
    """The playbook's assessment for a model that never answered; None if no model was asked, or that takes long too."""
    if providers.model_for(handoff.account) is None:
        return None
    try:
        async with asyncio.timeout(FALLBACK_SECONDS):
            return await by_playbook(handoff, reason=reason)
    except Exception as error:
        log.error("The playbook could not step in: %s", type(error).__name__, exc_info=error)
        return None


async def _by_model(handoff: Handoff, model: Connection) -> Made:
    case = await think(lambda: knowledge.case_of_handoff(handoff))
    async with _question(handoff.account, model, ModelCall.Purpose.ASSESSMENT) as noted:
        claimed, noted.usage = await llm.assess(case, model)
    data = await think(lambda: grounding.grounded(claimed, case=case, account=handoff.account).as_data())
    return Made(data, model.name)


async def answer(session: AISession, *, heard: Callable[[str], None]) -> copilot.Answer:
    """FlowPilot's answer, the playbook's where the model fails; `heard` gets what was said so far, from a thread."""
    model = providers.model_for(session.account)
    case = await think(lambda: knowledge.case_of_session(session))
    if model is None:
        return await think(lambda: copilot.answer(case))
    try:
        return await _answer_by_model(session, case, model, heard)
    except (ModelFailed, BudgetSpent) as error:
        log.warning("The playbook answers for %s: %s", model.name, error)
        return await instead(case, str(error))


async def instead(case: Case, why: str) -> copilot.Answer:
    said = await think(lambda: copilot.answer(case))
    return copilot.Answer(said.body, said.sources, why=why)


async def _answer_by_model(
    session: AISession, case: Case, model: Connection, heard: Callable[[str], None]
) -> copilot.Answer:
    async with _question(session.account, model, ModelCall.Purpose.ANSWER) as noted:
        reply, noted.usage = await llm.answer(case, model, heard=heard)
    sources = await think(lambda: grounding.existing(reply.sources, case=case, account=session.account))
    return copilot.Answer(reply.body, sources, unsupported=not sources)


@dataclass
class _Noted:
    usage: Usage = field(default_factory=Usage)


@asynccontextmanager
async def _question(account: Account, model: Connection, purpose: ModelCall.Purpose) -> AsyncIterator[_Noted]:
    """Wait for a free place, and note how the question that is asked inside ended, whatever ends it."""
    call = await _place(account, model, purpose)
    noted, outcome, why = _Noted(), ModelCall.Outcome.ANSWERED, ""
    try:
        yield noted
    except ModelFailed as error:
        outcome, why = ModelCall.Outcome.FAILED, str(error)
        raise
    except BaseException:
        outcome = ModelCall.Outcome.TIMED_OUT
        raise
    finally:
        tokens = {"tokens_in": noted.usage.tokens_in, "tokens_out": noted.usage.tokens_out}
        noting = write(lambda: model_calls.end(call, outcome=outcome, why=why, **tokens))
        await asyncio.shield(asyncio.ensure_future(noting))


async def _place(account: Account, model: Connection, purpose: ModelCall.Purpose) -> ModelCall:
    while True:
        call = await write(lambda: model_calls.begin(account, purpose=purpose, model=model.name, seconds=LONGEST_CALL))
        if call is not None:
            return call
        await asyncio.sleep(NEXT_LOOK)
