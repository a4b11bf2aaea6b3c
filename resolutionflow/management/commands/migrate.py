"""Django's `migrate`; after it the role that web and worker take on may use what there is."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate

from resolutionflow import walls
from resolutionflow.walls import role


class Command(migrate.Command):
    def handle(self, *arguments: Any, **options: Any) -> None:
        if not options["skip_checks"]:
            self.check()  # but not the database's: the role that they look for is made here
        with walls.everywhere():
            super().handle(*arguments, **options | {"skip_checks": True})
            if options["plan"] or options["check_unapplied"] or options["database"] != "default":
                return
            try:
                role.prepare()
            except role.CannotPrepare as error:
                raise CommandError(str(error)) from None
