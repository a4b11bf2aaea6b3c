"""An attachment as an answer: read from the disk while it is sent, and as little of a page as can be."""

from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.utils.http import content_disposition_header

from escalations import files
from escalations.live.flow import Flow
from escalations.models import Attachment

# Whatever is in it: no script, no form, no origin of ours, nothing loaded.
POLICY = "sandbox; default-src 'none'"
PICTURE_POLICY = f"{POLICY}; style-src 'unsafe-inline'"  # how browsers centre a picture that stands alone


def answer(request: HttpRequest, attachment: Attachment) -> StreamingHttpResponse:
    """Raises Http404 where its file is gone, after a restore without the files say."""
    path = files.path_of(attachment.pk)
    if not path.is_file():
        raise Http404
    body = _flowing(request, path) if isinstance(request, ASGIRequest) else _pieces(path)
    response = StreamingHttpResponse(body, content_type=attachment.content_type)
    disposition = content_disposition_header(not attachment.is_image, attachment.name)
    response.headers["Content-Disposition"] = disposition or "attachment"
    response.headers["Content-Length"] = str(attachment.size)
    response.headers["Content-Security-Policy"] = PICTURE_POLICY if attachment.is_image else POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _pieces(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as file:
        while piece := file.read(files.AT_ONCE):
            yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")


async def _flowing(request: ASGIRequest, path: Path) -> AsyncIterator[bytes]:
    """No faster than the client reads."""
    flow, pieces = Flow(request.scope.get("server_send")), _pieces(path)
    try:
        while piece := await sync_to_async(_next)(pieces):
            yield piece
            await flow.has_room()
    finally:
        flow.end()
        pieces.close()
