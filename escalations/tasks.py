"""What the worker does. Doors like views: find, call one verb, answer."""

import asyncio
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from uuid import UUID

from django.db import connection
from procrastinate.contrib.django import app

from escalations import copilot, knowledge
from escalations.actions import assessments, jobs, learning, sessions
from escalations.assessor import providers
from escalations.models import AISession, Assessment, Handoff

log = logging.getLogger(__name__)
R = TypeVar("R")

ANSWER_SECONDS = 20.0
LEARN_SECONDS = 2.0  # at a stretch: whoever stops the worker waits for it
STALLED_SECONDS = 60

# Thinking may hang; writing must not wait behind it.
_thinking = ThreadPoolExecutor(max_workers=16, thread_name_prefix="thinking")
_writing = ThreadPoolExecutor(max_workers=4, thread_name_prefix="writing")


def _step_back() -> None:
    """Let every other thread of the machine go first, where one thread's priority is a thing of its own (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


_learning = ThreadPoolExecutor(max_workers=1, thread_name_prefix="learning", initializer=_step_back)


async def _in(pool: ThreadPoolExecutor, work: Callable[[], R]) -> R:
    def run() -> R:
        try:
            return work()
        finally:
            connection.close()

    return await asyncio.get_running_loop().run_in_executor(pool, run)


@app.task(name=jobs.ASSESS)
async def assess(handoff_id: str, attempt: int = 0) -> None:
    """Assess a handoff within this attempt's budget, and store whatever comes of it."""
    handoff = await _in(_writing, lambda: Handoff.objects.for_context().filter(pk=handoff_id).first())
    if handoff is None or handoff.assessment.state not in Assessment.MAY_BECOME_READY:
        return
    budget = assessments.budget_of(attempt)
    try:
        async with asyncio.timeout(budget):
            data = await _in(_thinking, lambda: providers.assess(knowledge.case_of_handoff(handoff)).as_data())
    except TimeoutError:
        reason = f"It took longer than {budget:g} seconds."
        await _in(_writing, lambda: _give_up(handoff, Assessment.State.TIMED_OUT, reason, attempt))
    except Exception:
        log.exception("The assessment of %s failed.", handoff_id)
        reason = "Something went wrong while it was made."
        await _in(_writing, lambda: _give_up(handoff, Assessment.State.FAILED, reason, attempt))
    else:
        await _in(_writing, lambda: assessments.store(handoff, data=data, made_by=providers.name()))


def _give_up(handoff: Handoff, state: Assessment.State, reason: str, attempt: int) -> None:
    assessments.give_up(handoff, state=state, reason=reason, attempt=attempt)


@app.task(name=jobs.ANSWER)
async def answer(session_id: str, message_id: str | None = None) -> None:
    """FlowPilot's answer to a message, or to the problem; if there is none to be had, a line says why."""
    session = await _in(_writing, lambda: AISession.objects.select_related("account").filter(pk=session_id).first())
    if session is None:
        return
    to = UUID(message_id) if message_id else None
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            said = await _in(_thinking, lambda: copilot.answer(knowledge.case_of_session(session)))
    except TimeoutError:
        why = f"FlowPilot could not answer within {ANSWER_SECONDS:g} seconds. Your message is kept."
        await _in(_writing, lambda: sessions.tell(session, body=why))
    except Exception:
        log.exception("FlowPilot's answer in %s failed.", session_id)
        why = "FlowPilot could not answer: something went wrong. Your message is kept."
        await _in(_writing, lambda: sessions.tell(session, body=why))
    else:
        await _in(_writing, lambda: sessions.answer(session, to=to, body=said.body, sources=said.sources_as_data()))


@app.task(name=jobs.LEARN, lock="learn", priority=-10)
async def learn(session_id: str | None = None) -> None:
    """Read a resolved session, or all that is not read yet, so that it is found by what it means."""
    if session_id:
        await _in(_learning, lambda: learning.learn(UUID(session_id)))
    elif not await _in(_learning, lambda: learning.catch_up(seconds=LEARN_SECONDS)):
        await _in(_writing, learning.later)


@app.periodic(cron="7 * * * *")
@app.task(name="escalations.tasks.catch_up", queueing_lock="catch_up", pass_context=False)
async def catch_up(timestamp: int) -> None:
    """What nobody was there to read: sessions from before the weights were installed, say."""
    await _in(_writing, learning.later)


@app.periodic(cron="* * * * *")
@app.task(name="escalations.tasks.retry_stalled", queueing_lock="retry_stalled", pass_context=False)
async def retry_stalled(timestamp: int) -> None:
    """Hand the jobs of a worker that died to a living one."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await app.job_manager.retry_job(job)
