"""Hand work to the worker, in the transaction of the change that asks for it: a rollback leaves no job."""

from datetime import timedelta

from procrastinate.contrib.django import app

# By name, not by import: tasks are doors, and doors call actions.
ASSESS = "escalations.tasks.assess"
ANSWER = "escalations.tasks.answer"
LEARN = "escalations.tasks.learn"


def defer(task: str, *, after: timedelta | None = None, **arguments: str | int | None) -> None:
    """Run `task` in the worker with these arguments, at the earliest `after` from now."""
    app.configure_task(task, schedule_in={"seconds": int(after.total_seconds())} if after else None).defer(**arguments)
