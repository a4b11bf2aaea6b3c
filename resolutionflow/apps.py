from django.apps import AppConfig
from django.core.checks import register

from resolutionflow import checks


class ResolutionFlowConfig(AppConfig):
    """The project's own app: its management commands (serve, demo) and its checks."""

    name = "resolutionflow"

    def ready(self) -> None:
        register(checks.channel_layer_recovers)
        register(checks.processes_hear_each_other)
