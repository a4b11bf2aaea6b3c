"""Hand work to the worker, in the transaction of the change that asks for it: a rollback leaves no job."""

from datetime import timedelta

from procrastinate.contrib.django import app

# By name, not by import: tasks are doors, and doors call actions.
ASSESS = "escalations.tasks.assess"
ANSWER = "escalations.tasks.answer"
LEARN = "escalations.tasks.learn"
PRUNE = "escalations.tasks.prune"
LEASE = "escalations.tasks.see_to_lease"
TELL = "escalations.notifications.tell"
DELIVER = "escalations.notifications.deliver"
DELIVER_ONE = "escalations.notifications.deliver_one"
COMPARE = "escalations.tasks.compare"

MARGIN = timedelta(seconds=1)  # a job that is due at a moment must not find that it is not there yet
AWAITED, IN_THE_BACKGROUND, NOBODY_WAITS = 10, 0, -10


def defer(task: str, *, after: timedelta | None = None, first: bool = True, **arguments: str | int | None) -> None:
    """Run `task` in the worker with these arguments, at the earliest `after` from now; not `first`: behind others."""
    when = {"seconds": int(after.total_seconds())} if after else None
    priority = NOBODY_WAITS if task in {LEARN, PRUNE} else AWAITED if first else IN_THE_BACKGROUND
    app.configure_task(task, schedule_in=when, priority=priority).defer(**arguments)
