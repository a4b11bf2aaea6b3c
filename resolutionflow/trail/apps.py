from django.apps import AppConfig


class TrailConfig(AppConfig):
    name = "resolutionflow.trail"
    label = "trail"
    verbose_name = "Audit trail"
