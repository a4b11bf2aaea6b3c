"""What becomes of a job that did not end well."""

import asyncio

from django.db import InterfaceError, OperationalError
from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from escalations.actions.refusals import Conflict

PAUSE_SECONDS = 5
MOST_TRIES = 20


class PutBack(BaseRetryStrategy):
    """A job that is cancelled, because the process ends, waits for the next worker. So does one that the database did
    not answer, or whose rows somebody else held: for a while. Any other that fails has failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):
            return RetryDecision()
        passing = isinstance(exception, OperationalError | InterfaceError | Conflict)
        return RetryDecision(retry_in={"seconds": PAUSE_SECONDS}) if passing and job.attempts < MOST_TRIES else None
