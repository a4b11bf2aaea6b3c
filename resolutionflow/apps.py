from django.apps import AppConfig


class ResolutionFlowConfig(AppConfig):
    """The project's own app: its management commands (serve, demo) and its checks."""

    name = "resolutionflow"
