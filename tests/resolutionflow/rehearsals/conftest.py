import pytest

from tests.resolutionflow.rehearsals.playing import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demo(settings, ann, ben, vic, olga, adam) -> None:
    settings.DEMO = True
