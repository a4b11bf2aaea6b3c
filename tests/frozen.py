"""The database's clock as the verbs ask for it (`Now()`), and Django's, standing still until a test moves them."""

from datetime import datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone


class Clock:
    """It begins in an hour, so that nothing which the database stamps by itself is later."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = timezone.now() + timedelta(hours=1)
        monkeypatch.setattr(Now, "as_postgresql", self._sql)
        monkeypatch.setattr(timezone, "now", lambda: self.now)

    def _sql(self, compiler: object, connection: object, **extra: object) -> tuple[str, list[datetime]]:
        return "%s::timestamptz", [self.now]

    def go_on(self, **time: float) -> None:
        """`clock.go_on(minutes=8)`"""
        self.now += timedelta(**time)
