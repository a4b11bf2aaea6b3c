"""How large a request's body may be: 256 KiB, or where files are attached as much as one file and its form."""

import re
from typing import Final

from django.conf import settings

MIB: Final = 1024 * 1024
BESIDE_FILES: Final = 256 * 1024  # bytes, for the form around a file
# A file, or a message whose form brings its files along.
TAKES_FILES: Final = re.compile(r"/sessions/[0-9a-f-]{36}/(attachments|messages)/")
SLOWEST: Final = 128 * 1024  # bytes a second: what is sent more slowly is not waited for


def of(method: str, path: str, content_type: str) -> int:
    """Bytes. Only a form with files (`multipart/form-data`) may be larger than others."""
    is_form = content_type.lower().startswith("multipart/form-data")
    if method == "POST" and is_form and TAKES_FILES.fullmatch(path):
        return settings.ATTACHMENT_MAX_MB * MIB + BESIDE_FILES
    most: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return most


def in_words(size: int) -> str:
    return "256 KiB" if size < MIB else f"{size // MIB} MB"
