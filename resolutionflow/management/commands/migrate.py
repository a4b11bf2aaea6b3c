"""Django's `migrate`; after it the role that web and worker take on may use what there is."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from resolutionflow import walls
from resolutionflow.walls import role


class Command(migrate.Command):
    def get_check_kwargs(self, options: dict[str, Any]) -> Any:
        """All checks but the database's: the role that they look for is made here."""
        return {**super().get_check_kwargs(options), "databases": []}

    def handle(self, *arguments: Any, **options: Any) -> None:
        with walls.everywhere():
            super().handle(*arguments, **options)
            if options["plan"] or options["check_unapplied"] or options["database"] != "default":
                return
            try:
                role.prepare()
            except role.CannotPrepare as error:
                raise CommandError(str(error)) from None
