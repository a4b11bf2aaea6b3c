"""What the worker does. Doors like views: find, call one verb, answer."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from procrastinate.contrib.django import app
from prometheus_client import Histogram

from escalations import idempotency, thinking, whose
from escalations.actions import assessments, attachments, drafts, jobs, learning, leases, lessons, pruning, sessions
from escalations.actions.assessments import Attempt
from escalations.live.drafts import Draft
from escalations.models import AISession, Assessment
from escalations.notifications import tasks as notifications
from escalations.retrying import PutBack
from escalations.thinking import Made, in_thread_of, write
from resolutionflow import logs, walls

__all__ = ["notifications"]  # jobs of its own, which are known once it is imported

log = logging.getLogger(__name__)

ANSWER_SECONDS = 20.0
LEARN_SECONDS = 2.0  # at a stretch: whoever stops the worker waits for it
STALLED_SECONDS = 60
TIMED_OUT, FAILED = Assessment.State.TIMED_OUT, Assessment.State.FAILED
WRONG = "Something went wrong while it was made."
assessing = Histogram(
    "resolutionflow_assessment_seconds",
    "One attempt at an assessment, from its claim until its result or its failure is stored.",
    ["outcome"],
    buckets=(0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 20, 60),
)


def _step_back() -> None:
    """Let every other thread of the machine go first, where one thread's priority is a thing of its own (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


_learning = ThreadPoolExecutor(max_workers=1, thread_name_prefix="learning", initializer=_step_back)


@app.task(name=jobs.ASSESS, retry=PutBack())
async def assess(handoff_id: str, attempt: int = 0, run: int = 0) -> None:
    """Assess a handoff within this attempt's budget, and store whatever comes of it."""
    logs.begin(job="assess", handoff=handoff_id)
    with walls.within(await write(lambda: whose.handoff(handoff_id))):
        await _assess(handoff_id, attempt, run)


async def _assess(handoff_id: str, attempt: int, run: int) -> None:
    begun = await write(lambda: assessments.begin(handoff_id, run=run, attempt=attempt))
    if begun is None:
        return
    logs.add(account=begun.handoff.account_id, user=begun.handoff.created_by_id)
    began = time.perf_counter()
    outcome = await _attempt(begun)
    assessing.labels(outcome).observe(time.perf_counter() - began)


async def _attempt(begun: Attempt) -> Assessment.State:
    """What came of it, which is stored."""
    try:
        async with asyncio.timeout(begun.budget):
            made = await thinking.assess(begun.handoff)
    except TimeoutError:
        return await _late(begun)
    except Exception as error:
        _log(f"The assessment of {begun.handoff.pk} failed", error)
        await _give_up(begun, FAILED, WRONG)
        return FAILED
    await _store(begun, made)
    return Assessment.State.READY


async def _late(begun: Attempt) -> Assessment.State:
    """It is tried again with a longer budget; after the last one, the playbook steps in for a model."""
    reason = f"It took longer than {begun.budget:g} seconds."
    made = await thinking.instead_of_model(begun.handoff, reason=reason) if begun.is_last else None
    if made:
        await _store(begun, made)
        return Assessment.State.READY
    await _give_up(begun, TIMED_OUT, reason)
    return TIMED_OUT


async def _store(begun: Attempt, made: Made) -> None:
    await write(
        lambda: assessments.store(begun.handoff, data=made.data, made_by=made.made_by, reason=made.reason),
    )


async def _give_up(begun: Attempt, state: Assessment.State, reason: str) -> None:
    await write(
        lambda: assessments.give_up(begun.handoff, state=state, reason=reason, attempt=begun.number, run=begun.run)
    )


@app.task(name=jobs.ANSWER, retry=PutBack())
async def answer(session_id: str, message_id: str | None = None) -> None:
    """FlowPilot's answer to a message, or to the problem; if there is none to be had, a line says why."""
    logs.begin(job="answer", session=session_id)
    with walls.within(await write(lambda: whose.session(session_id))):
        await _answer(session_id, message_id)


async def _answer(session_id: str, message_id: str | None) -> None:
    session = await write(lambda: AISession.objects.select_related("account").filter(pk=session_id).first())
    if session is None:
        return
    logs.add(account=session.account_id, user=session.holder_id)
    to = UUID(message_id) if message_id else None
    if await write(lambda: sessions.is_answered(session, to=to)):
        return
    draft = Draft(session, sessions.answer_id(session, to=to))
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            said = await thinking.answer(session, heard=draft.tell)
    except TimeoutError:
        why = f"FlowPilot could not answer within {ANSWER_SECONDS:g} seconds. Your message is kept."
        await write(lambda: sessions.excuse(session, to=to, body=why))
    except Exception as error:
        _log(f"FlowPilot's answer in {session_id} failed", error)
        why = "FlowPilot could not answer: something went wrong. Your message is kept."
        await write(lambda: sessions.excuse(session, to=to, body=why))
    else:
        await write(lambda: sessions.answer(session, to=to, **said.as_written()))


def _log(what: str, error: Exception) -> None:
    log.error("%s: %s", what, type(error).__name__, exc_info=error)


@app.task(name=jobs.LEARN, lock="learn", priority=-10, retry=PutBack())
async def learn(session_id: str | None = None) -> None:
    """Read a resolved session, or all that is not read yet, so that it is found by what it means."""
    logs.begin(job="learn", session=session_id or "")
    if session_id:
        with walls.within(await write(lambda: whose.session(session_id))):
            await in_thread_of(_learning, lambda: learning.learn(UUID(session_id)))
    else:
        await _learn_the_rest()


async def _learn_the_rest() -> None:
    with walls.everywhere():  # whatever any account has that is not learned yet
        done = await in_thread_of(_learning, lambda: learning.catch_up(seconds=LEARN_SECONDS))
        done = done and await in_thread_of(_learning, lambda: learning.read_fixes(seconds=LEARN_SECONDS))
    if not done:
        await write(learning.later)


@app.task(name=jobs.COMPARE, retry=PutBack())
async def compare(handoff_id: str) -> None:
    """Find out which step of whoever escalated was closest to what fixed it."""
    logs.begin(job="compare", handoff=handoff_id)
    with walls.within(await write(lambda: whose.handoff(handoff_id))):
        await in_thread_of(_learning, lambda: lessons.compare(UUID(handoff_id)))


@app.periodic(cron="7 * * * *")
@app.task(name="escalations.tasks.catch_up", queueing_lock="catch_up", pass_context=False)
async def catch_up(timestamp: int) -> None:
    """What nobody was there to read: sessions from before the weights were installed, say."""
    await write(learning.later)


@app.task(name=jobs.PRUNE, lock="prune", retry=PutBack())
async def prune(account_id: str) -> None:
    """One step of what an account does not want to keep any longer."""
    logs.begin(job="prune", account=account_id)
    with walls.everywhere():  # what the operator did to its rows in the admin goes as well
        await write(lambda: pruning.as_set(UUID(account_id)))


@app.periodic(cron="23 3 * * *")
@app.task(name="escalations.tasks.prune_nightly", queueing_lock="prune_nightly", pass_context=False)
async def prune_nightly(timestamp: int) -> None:
    with walls.everywhere():
        await write(pruning.every_account)


@app.task(name=jobs.LEASE, retry=PutBack())
async def see_to_lease(handoff_id: str) -> None:
    """Warn who picked a handoff up and does nothing with it, or return it to the queue."""
    logs.begin(job="see_to_lease", handoff=handoff_id)
    with walls.within(await write(lambda: whose.handoff(handoff_id))):
        await write(lambda: leases.see_to(handoff_id))


@app.periodic(cron="* * * * *")
@app.task(name="escalations.tasks.see_to_leases", queueing_lock="see_to_leases", pass_context=False)
async def see_to_leases(timestamp: int) -> None:
    """The leases whose own jobs were lost, or came to nothing."""
    with walls.everywhere():
        handoffs = await write(lambda: list(leases.running().values_list("pk", flat=True)))
    for handoff_id in handoffs:
        await see_to_lease(str(handoff_id))


@app.periodic(cron="23 * * * *")
@app.task(name="escalations.tasks.forget_answers", queueing_lock="forget_answers", pass_context=False)
async def forget_answers(timestamp: int) -> None:
    """What the API answered to requests with an Idempotency-Key is kept for a day, not for ever."""
    logs.begin(job="forget_answers")
    with walls.everywhere():
        await write(idempotency.forget_old)


@app.periodic(cron="37 * * * *")
@app.task(name="escalations.tasks.sweep", queueing_lock="sweep", pass_context=False)
async def sweep(timestamp: int) -> None:
    """Files and drafts that were never sent, and files that no row knows."""
    logs.begin(job="sweep")
    with walls.everywhere():  # whatever any account has left lying
        await write(attachments.sweep)
        await write(drafts.forget_old)


@app.periodic(cron="* * * * *")
@app.task(name="escalations.tasks.retry_stalled", queueing_lock="retry_stalled", pass_context=False)
async def retry_stalled(timestamp: int) -> None:
    """Hand the jobs of a worker that died to a living one."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
        await app.job_manager.retry_job(job)
