"""Files for tests of attachments: what is taken, and what only says that it is."""

import io
import struct
import zlib

from escalations.actions import attachments, sessions
from escalations.models import AISession, Attachment
from resolutionflow.accounts.models import User


def png(width: int = 2, height: int = 2) -> bytes:
    """A picture that browsers show."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\x30\x60\xc0" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def attach(session: AISession, *, by: User, name: str = "shot.png", content: bytes | None = None) -> Attachment:
    content = png() if content is None else content
    return attachments.attach(session, by=by, name=name, size=len(content), file=io.BytesIO(content))


def sent(
    session: AISession, *, by: User, name: str = "shot.png", content: bytes | None = None, body: str = "Look"
) -> Attachment:
    made = attach(session, by=by, name=name, content=content)
    sessions.post(session, by=by, body=body, files=[made.pk])
    made.refresh_from_db()
    return made
