"""`manage.py check --database default` says whether the second wall stands."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error

from resolutionflow.walls import role


def second_wall_stands(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """Web and worker must not be able to pass row security."""
    wrong = role.what_is_wrong() if "default" in (databases or ()) else ""
    return [Error(wrong, hint="docs/people.md, “The database's roles”", id="resolutionflow.E003")] if wrong else []
