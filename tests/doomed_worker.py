"""Workers that stop at a step of their job, to be killed there. One process imports everything and forks a worker for
each line that it reads, such as `{"stop_at": "claimed", "reached": "/a/file", "budget": 5}`; it answers with the
worker's process id."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
django.setup()

from django.conf import settings  # noqa: E402
from procrastinate.contrib.django import app as jobs  # noqa: E402 after django.setup()

from escalations.actions import assessments, leases  # noqa: E402
from escalations.assessor import sdk  # noqa: E402, F401 so that no worker has to import it
from resolutionflow.management.commands.serve import Worker  # noqa: E402


def stop(module, name, reached, *, after):
    """Let the function stand still for ever, before or after what it does."""
    original = getattr(module, name)

    def stand_still(*args, **kwargs):
        done = original(*args, **kwargs) if after else None
        Path(reached).touch()
        time.sleep(600)  # until the test kills the process
        return done

    setattr(module, name, stand_still)


STEPS = {
    "before it is claimed": (assessments, "begin", False),
    "claimed": (assessments, "begin", True),
    "answered, not stored": (assessments, "store", False),
    "stored, not committed": (assessments, "_tell", True),
    "committed, the job not ended": (assessments, "store", True),
    "given up": (assessments, "give_up", True),
    "warned, not committed": (leases, "change", True),
    "returned, not committed": (leases, "note", True),
    "the lease seen to, the job not ended": (leases, "see_to", True),
}


async def work():
    """A retried job is found by looking, which is not to take five seconds here."""
    jobs.worker_defaults = {**jobs.worker_defaults, "fetch_job_polling_interval": 0.2}
    Worker().start(asyncio.get_running_loop())
    await asyncio.Event().wait()


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        told = json.loads(line)
        pid = os.fork()
        if pid == 0:
            settings.ASSESSMENT_BUDGET_SECONDS = told["budget"]
            if told["stop_at"] in STEPS:
                module, name, after = STEPS[told["stop_at"]]
                stop(module, name, told["reached"], after=after)
            asyncio.run(work())
            os._exit(0)
        print(pid, flush=True)
