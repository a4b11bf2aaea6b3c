"""The system checks: what they refuse, and that the settings as they come pass."""

import os
import subprocess
import sys

import pytest
from django.core.checks import run_checks

from tests.serving import ROOT

PUBSUB = {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": ["redis://localhost"]}}
IN_MEMORY = {"BACKEND": "channels.layers.InMemoryChannelLayer"}


def found() -> list[str]:
    return [message.id for message in run_checks() if message.id.startswith("resolutionflow.")]


def test_the_settings_as_they_come_pass():
    assert found() == []


@pytest.mark.parametrize("core", ["RedisChannelLayer", "SomethingElse"])
@pytest.mark.parametrize("alias", ["default", "another"])
def test_the_core_layer_of_channels_redis_is_refused(settings, core, alias):
    settings.CHANNEL_LAYERS = {"default": PUBSUB}
    assert found() == []
    settings.CHANNEL_LAYERS = {"default": PUBSUB, alias: PUBSUB | {"BACKEND": f"channels_redis.core.{core}"}}
    assert found() == ["resolutionflow.E001"]


def test_several_web_processes_need_a_layer_in_common(settings):
    settings.CHANNEL_LAYERS = {"default": IN_MEMORY}
    settings.WEB_CONCURRENCY = 1
    assert found() == []
    settings.WEB_CONCURRENCY = 2
    assert found() == ["resolutionflow.E002"]
    settings.CHANNEL_LAYERS = {"default": PUBSUB}
    assert found() == []


def check_with(**env: str) -> subprocess.CompletedProcess[str]:
    told = [sys.executable, "manage.py", "check"]
    return subprocess.run(told, cwd=ROOT, env={**os.environ, **env}, capture_output=True, text=True, timeout=60)


def test_the_environment_decides():
    refused = check_with(WEB_CONCURRENCY="4")
    assert refused.returncode == 1
    assert "WEB_CONCURRENCY declares 4 web processes" in refused.stderr
    assert check_with(WEB_CONCURRENCY="4", REDIS_URL="redis://localhost:1/0").returncode == 0
    assert "WEB_CONCURRENCY" in check_with(WEB_CONCURRENCY="many").stderr
