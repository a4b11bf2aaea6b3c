"""Settings that would lose events without a word: `manage.py check` and `manage.py serve` refuse them."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error

IN_MEMORY = "channels.layers.InMemoryChannelLayer"
NEVER_RECOVERS = "channels_redis.core."


def channel_layer_recovers(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """After one second without Redis the core layer said OK to every send, and none arrived any more."""
    broken = [name for name, layer in settings.CHANNEL_LAYERS.items() if layer["BACKEND"].startswith(NEVER_RECOVERS)]
    return [
        Error(
            f"The channel layer “{name}” is of channels_redis.core, which never recovers from an outage of Redis.",
            hint="Use channels_redis.pubsub.RedisPubSubChannelLayer.",
            id="resolutionflow.E001",
        )
        for name in broken
    ]


def processes_hear_each_other(app_configs: Sequence[AppConfig] | None, **options: Any) -> list[CheckMessage]:
    """A layer in memory ends at its process: pages of the others would live by heartbeats alone."""
    default = settings.CHANNEL_LAYERS["default"]["BACKEND"]
    if default != IN_MEMORY or settings.WEB_CONCURRENCY == 1:
        return []
    return [
        Error(
            f"WEB_CONCURRENCY declares {settings.WEB_CONCURRENCY} web processes, but they share no channel layer.",
            hint="Set REDIS_URL, or WEB_CONCURRENCY=1.",
            id="resolutionflow.E002",
        )
    ]
