"""Static files under an address that names their content: `/static/<version>/js/live.js`.

One version for all of them, in the folder's place, so that scripts and sheets that name each other relatively need no
rewriting, nothing is collected or built, and browsers may keep what they have for good. An upgrade changes the address.
"""

import hashlib
import re
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

DIGITS = 12
YEAR = 365 * 24 * 3600
SOME_VERSION = re.compile(rf"^{re.escape(settings.STATIC_URL)}[0-9a-f]{{{DIGITS}}}/")


@cache
def base() -> str:
    """The address of this version's folder: the first digits of a hash over every file's name and content."""
    whole = hashlib.sha256()
    for name, file in sorted(_files()):
        whole.update(f"{name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return f"{settings.STATIC_URL}{whole.hexdigest()[:DIGITS]}/"


def _files() -> list[tuple[str, Path]]:
    """Each file as pages name it, without the maps, which only a debugger asks for."""
    listed = [found for finder in finders.get_finders() for found in finder.list(None)]
    return [(name, Path(storage.path(name))) for name, storage in listed if not name.endswith(".map")]


class Versioned(StaticFilesStorage):
    """What `{% static %}` asks; asked a dozen times per page, so that it remembers."""

    @cache  # noqa: B019 there is one storage, and it lives as long as the process
    def url(self, name: str | None, force: bool = False) -> str:
        return super().url(name).replace(settings.STATIC_URL, base(), 1)


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serves each file under its version, to be kept for a year, and as it was named before, to be asked for anew.

    Another version's address gets today's file: in the middle of an upgrade old and new pages meet old and new servers.
    """

    FOREVER = YEAR
    known: ClassVar[dict[str, Any]] = {}

    def add_files_from_finders(self) -> None:
        """A process's files do not change, but each client of a test makes its middleware anew."""
        if not self.known:
            super().add_files_from_finders()
            self.known.update(self.files)
        self.files.update(self.known)

    def add_file_to_dictionary(self, url: str, path: str, stat_cache: Any = None) -> None:
        super().add_file_to_dictionary(url, path, stat_cache=stat_cache)
        versioned = url.replace(self.static_prefix, base(), 1)
        super().add_file_to_dictionary(versioned, path, stat_cache=stat_cache)

    def immutable_file_test(self, path: str, url: str) -> bool:
        return url.startswith(base())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        address = request.path_info
        file = self.files.get(address) or self.files.get(SOME_VERSION.sub(settings.STATIC_URL, address))
        answer: HttpResponse = self.serve(file, request) if file else self.get_response(request)
        return answer
