"""Ask the installation's virus scanner about a file, if it has one (ATTACHMENT_SCAN_COMMAND)."""

import logging
import shlex
import subprocess
from pathlib import Path

from django.conf import settings

from escalations.filetypes import NotTaken

log = logging.getLogger(__name__)

SECONDS = 20
CLEAN, INFECTED = 0, 1
INSTEAD_OF_PATH = "{}"


class Infected(NotTaken):
    """The scanner found something."""


def scan(path: Path, name: str) -> bool:
    """Whether there is a scanner, which has found the file clean then.

    The command gets the file on its standard input, or its path in place of `{}`. Raises NotTaken unless it says with
    its exit status 0 that the file is clean: 1 is infected, anything else that it could not be looked at.
    """
    if not settings.ATTACHMENT_SCAN_COMMAND:
        return False
    command = [str(path) if part == INSTEAD_OF_PATH else part for part in shlex.split(settings.ATTACHMENT_SCAN_COMMAND)]
    try:
        with path.open("rb") as file:
            done = subprocess.run(  # noqa: S603 the operator's own command, without a shell
                command, stdin=file, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=SECONDS, check=False
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        log.error("The virus scanner did not run: %s", error)
        raise NotTaken(f"“{name}” could not be checked for viruses, so it was not taken. Try again later.") from error
    if done.returncode == INFECTED:
        log.warning("The virus scanner refused an attachment.")
        raise Infected(f"“{name}” was refused: the virus scanner found something in it.")
    if done.returncode != CLEAN:
        log.error("The virus scanner ended with %d: %s", done.returncode, done.stderr[:300].decode(errors="replace"))
        raise NotTaken(f"“{name}” could not be checked for viruses, so it was not taken. Try again later.")
    return True
