#!/usr/bin/env python
"""The door for operators: `manage.py demo`, `serve`, `migrate`, `api_token`, `audit_feed`, …"""

import os
import signal
import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management import execute_from_command_line

from resolutionflow import postgres, walls

# These work for people, whose accounts they learn as they go; every other command is the operator's.
FOR_PEOPLE = {"serve", "worker"}
# Nothing here touches the database, so the embedded server stays asleep for it.
WITHOUT_DATABASE = {"help", "--help", "version", "--version", "check", "makemessages", "collectstatic"}


def end(signal_number: int, frame: Any) -> NoReturn:
    """Leave in good order, so that the embedded server is stopped too."""
    raise SystemExit(128 + signal_number)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    signal.signal(signal.SIGTERM, end)
    whose = walls.serve if FOR_PEOPLE.intersection(sys.argv[1:2]) else walls.operate
    whose()
    asks_for_help = "--help" in sys.argv or "-h" in sys.argv
    if sys.argv[1:2] and sys.argv[1] not in WITHOUT_DATABASE and not asks_for_help and settings.EMBEDDED_POSTGRES:
        postgres.start(settings.EMBEDDED_POSTGRES)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
