"""`manage.py serve` with one of the walls taken away: `python -m tests.resolutionflow.matrix.serve_without filters`."""

import os
import sys
from typing import Any

from resolutionflow import walls


def main() -> None:
    walls.serve()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resolutionflow.settings")
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from resolutionflow.walls import role

    if "rows" in sys.argv:
        settings.DATABASE_ROLE = role.NONE
        role.refuse_to_serve = lambda: None
    if "filters" in sys.argv:
        from resolutionflow.walls.postgresql import base
        from tests.resolutionflow.matrix.without import open_to_all

        asked = base.Cursor.execute

        def execute(cursor: Any, query: Any, *arguments: Any, **options: Any) -> Any:
            return asked(cursor, open_to_all(query) if isinstance(query, str) else query, *arguments, **options)

        base.Cursor.execute = execute
    call_command("serve")


if __name__ == "__main__":
    main()
