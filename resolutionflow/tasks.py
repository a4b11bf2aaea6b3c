"""What the worker does for a demonstration: it plays rehearsals."""

import asyncio
import time
from typing import Any

from django.conf import settings
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.job_context import AbortReason

from escalations.retrying import PutBack
from escalations.thinking import write
from resolutionflow import logs, walls
from resolutionflow.accounts.models import Account
from resolutionflow.demo.rehearsal import Plan, Play
from resolutionflow.demo.running import REHEARSE

TICK_SECONDS = 0.25


@app.task(name=REHEARSE, pass_context=True, retry=PutBack())
async def rehearse(context: JobContext, /, **asked: Any) -> None:
    """Play it to its end. Where the process ends before, the next worker goes on."""
    plan = Plan(**asked)
    logs.begin(job="rehearse", rehearsal=plan.id)
    if not settings.DEMO:
        return
    with walls.everywhere():  # whose rows it is about is the first thing to find out
        account_id = await write(lambda: Account.objects.get(slug=plan.account).pk)
    with walls.within(account_id):
        play = await write(lambda: Play.of(plan, clock=time.time))
        try:
            while not play.is_over:
                await write(play.tick)
                await asyncio.sleep(TICK_SECONDS)
        except asyncio.CancelledError:
            if context.abort_reason() != AbortReason.USER_REQUEST:
                raise  # the process ends: the job is put back
        finally:
            await asyncio.shield(asyncio.ensure_future(write(play.end)))
