#!/usr/bin/env python
"""The door for operators: `manage.py demo`, `serve`, `migrate`, `api_token`, `audit_feed`, …"""

import os
import sys

# Nothing here touches the database, so the embedded server stays asleep for it.
WITHOUT_DATABASE = {"help", "--help", "version", "--version", "check", "makemessages", "collectstatic"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    from django.conf import settings
    from django.core.management import execute_from_command_line

    from resolutionflow import postgres

    if sys.argv[1:2] and sys.argv[1] not in WITHOUT_DATABASE and settings.EMBEDDED_POSTGRES:
        postgres.start(settings.EMBEDDED_POSTGRES)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
