"""`manage.py serve` with doors that fail and tell in their errors all that they know: for the test of the logs.

With UNMASKED set nothing is taken out of the logs, which shows that the test would find it.
"""

import logging
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
django.setup()

from django.conf import settings  # noqa: E402 after django.setup()
from django.core.management import execute_from_command_line  # noqa: E402

from escalations.actions import handoffs, sessions  # noqa: E402
from escalations.live import cursors  # noqa: E402
from resolutionflow import logs  # noqa: E402


def failing(*args, **kwargs):
    raise RuntimeError(f"failed with {args!r} {kwargs!r} at {settings.DATABASE_URL}, key {settings.SECRET_KEY}")


def failing_stream(*args):
    logging.getLogger("escalations").warning("the key is %s, asked for %s", settings.SECRET_KEY, args)
    raise RuntimeError(f"failed at {settings.REDIS_URL}")


if __name__ == "__main__":
    sessions.post = failing
    sessions.start = failing
    handoffs.release = failing
    cursors.of_group = failing_stream
    if os.environ.get("UNMASKED"):
        logs.without_secrets = lambda text: text
    execute_from_command_line(["manage.py", "serve", *sys.argv[1:]])
