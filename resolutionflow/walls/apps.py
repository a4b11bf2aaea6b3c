from django.apps import AppConfig
from django.core.checks import Tags, register

from resolutionflow.walls import checks


class WallsConfig(AppConfig):
    """Row security: its policies are this app's migrations."""

    name = "resolutionflow.walls"
    label = "walls"

    def ready(self) -> None:
        register(checks.second_wall_stands, Tags.database)
