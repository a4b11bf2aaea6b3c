"""Where the bytes of attachments lie: one file each in ATTACHMENTS_DIR, called by the attachment's id, not by its name.

A file is there as a whole or not at all, and before its row is. A row that is removed leaves its file to whoever
removed it, and in the end to the sweep.
"""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings

AT_ONCE = 65_536
PART = ".part"


def path_of(attachment_id: UUID) -> Path:
    """The first letters spread many files over 256 folders."""
    name = attachment_id.hex
    return Path(settings.ATTACHMENTS_DIR, name[:2], name)


@contextlib.contextmanager
def coming(attachment_id: UUID, source: IO[bytes]) -> Iterator[tuple[Path, str]]:
    """Copy `source` to a place of its own; gives that and the SHA-256.

    It becomes the attachment's file at the end of the block, and is gone if the block raises. Raises OSError where
    there is no room.
    """
    path = path_of(attachment_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_name(path.name + PART)
    try:
        sha256 = _copy(source, part)
        yield part, sha256
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _copy(source: IO[bytes], part: Path) -> str:
    digest = hashlib.sha256()
    source.seek(0)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as target:
        while chunk := source.read(AT_ONCE):
            digest.update(chunk)
            target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    """So that the name, too, outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(attachment_ids: Iterable[UUID]) -> None:
    """Remove files whose rows are gone; what cannot be removed now is left to the sweep."""
    for attachment_id in attachment_ids:
        with contextlib.suppress(OSError):
            path_of(attachment_id).unlink(missing_ok=True)


def older_than(seconds: float) -> Iterator[tuple[Path, UUID | None]]:
    """Files that have lain there for so long, each with the attachment that it is called by (None: a part)."""
    for path in Path(settings.ATTACHMENTS_DIR).glob("[0-9a-f][0-9a-f]/*"):
        with contextlib.suppress(OSError, ValueError):
            if path.is_file() and time.time() - path.stat().st_mtime >= seconds:
                yield path, None if path.name.endswith(PART) else UUID(hex=path.name)
