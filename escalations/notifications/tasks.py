"""What the worker does to tell escalations outside. Doors like views: find, call one verb, answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

from procrastinate.contrib.django import app

from escalations.actions import deliveries, jobs
from escalations.models import Delivery, FeedEvent
from escalations.notifications.letter import Letter, NotSent
from escalations.notifications.letters import letter_of
from escalations.notifications.sending import send
from escalations.retrying import PutBack
from escalations.thinking import in_thread_of, write
from resolutionflow import logs, walls

AT_ONCE = 8  # that are being sent; fewer than the worker's jobs, so that hanging receivers cannot fill it
FULL = timedelta(seconds=2)

_sending = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="sending")
_under_way: set[str] = set()


@app.task(name=jobs.TELL, retry=PutBack())
async def tell(account_id: str, handoff_id: str, kind: str) -> None:
    """Note who is to be told of what happened to a handoff; others do the telling."""
    logs.begin(job="tell", handoff=handoff_id, account=account_id)
    with walls.within(account_id):
        await write(lambda: deliveries.fan_out(UUID(account_id)))
        if kind == FeedEvent.Kind.CREATED:
            await write(lambda: deliveries.tell_people(UUID(handoff_id)))
        if kind == FeedEvent.Kind.RELEASED:
            await write(lambda: deliveries.tell_after_all(UUID(handoff_id)))


@app.task(name=jobs.DELIVER, retry=PutBack())
async def deliver(account_id: str, channel_id: str) -> None:
    """Send a channel what waits for it, in order, until one does not get there."""
    logs.begin(job="deliver", channel=channel_id, account=account_id)
    with walls.within(account_id):
        if _is_full():
            await write(lambda: deliveries.later(UUID(channel_id), after=FULL))
            return
        # Once more after each claim: whoever came meanwhile found it taken and left.
        while await write(lambda: deliveries.next_of(UUID(channel_id))) and await _claimed(UUID(channel_id)):
            pass


async def _claimed(channel_id: UUID) -> bool:
    """Send all that is due, if nobody else is at it. Whether there may be more."""
    if not await write(lambda: deliveries.claim(channel_id)):
        return False
    try:
        while due := await write(lambda: deliveries.next_claimed(channel_id)):
            if not await _deliver(due):
                return False
    finally:
        await write(lambda: deliveries.free(channel_id))
    return True


@app.task(name=jobs.DELIVER_ONE, retry=PutBack())
async def deliver_one(account_id: str, delivery_id: str) -> None:
    """Send one that nothing waits behind: to a person, or a test."""
    logs.begin(job="deliver_one", delivery=delivery_id, account=account_id)
    with walls.within(account_id):
        due = await write(lambda: deliveries.one(UUID(delivery_id)))
        if due and _is_full():
            await write(lambda: deliveries.one_later(due, after=FULL))
        elif due:
            await _deliver(due)


def _is_full() -> bool:
    return len(_under_way) >= AT_ONCE


async def _deliver(due: Delivery) -> bool:
    """Whether what waits behind it may go."""
    if await write(lambda: deliveries.leave_out(due)):
        return True
    _under_way.add(str(due.pk))
    try:
        error = await _try(due)
    finally:
        _under_way.discard(str(due.pk))
    return await write(lambda: deliveries.note(due, error=error))


async def _try(due: Delivery) -> str:
    try:
        letter: Letter = await write(lambda: letter_of(due))
    except NotSent as error:
        return str(error)
    return await in_thread_of(_sending, lambda: send(letter))


@app.periodic(cron="*/2 * * * *")
@app.task(name="escalations.notifications.pick_up_again", queueing_lock="pick_up_again", pass_context=False)
async def pick_up_again(timestamp: int) -> None:
    with walls.everywhere():  # whatever any account has that no job is left for
        await write(deliveries.pick_up_again)


@app.periodic(cron="41 3 * * *")
@app.task(name="escalations.notifications.forget_old", queueing_lock="forget_old_deliveries", pass_context=False)
async def forget_old(timestamp: int) -> None:
    with walls.everywhere():
        await write(deliveries.forget_old)
