"""Counters that end a minute after their first request: in Redis for all processes together, else in this one.

A minute begins with the first request that is counted, so exactly so many get through in it, whoever counts. What is
refused counts for nobody: one person who asks too much uses up nothing of the account.
"""

import logging
import threading
import time
from collections.abc import Sequence
from typing import Protocol

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60.0
ANSWER_SECONDS = 0.25  # all that a request ever waits for Redis
PAUSE_SECONDS = 5.0  # in which a Redis that did not answer is not asked again
MANY = 20_000  # counters; beyond that, those that are over are thrown away

Limit = tuple[str, int]  # what is counted, and how many of it get through in a window


class Counter(Protocol):
    def wait(self, limits: Sequence[Limit]) -> tuple[float, str]:
        """Count one request against all of `limits`; nothing is counted where one of them is reached.

        Gives the seconds until it is worth trying again (0: go on) and which limit was reached.
        """
        ...


class InMemory:
    """The counters of one process."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, float]] = {}  # how many, and when the window ends
        self._lock = threading.Lock()

    def wait(self, limits: Sequence[Limit]) -> tuple[float, str]:
        now = time.monotonic()
        with self._lock:
            if len(self._counts) > MANY:
                self._counts = {key: found for key, found in self._counts.items() if found[1] > now}
            found = [self._now(key, now) for key, _ in limits]
            full = [
                (ends - now, key) for (count, ends), (key, most) in zip(found, limits, strict=True) if count >= most
            ]
            if full:
                return max(full)
            for (count, ends), (key, _) in zip(found, limits, strict=True):
                self._counts[key] = count + 1, ends
        return 0.0, ""

    def _now(self, key: str, now: float) -> tuple[int, float]:
        count, ends = self._counts.get(key, (0, 0.0))
        return (count, ends) if ends > now else (0, now + WINDOW_SECONDS)


class InRedis:
    """The counters of all processes. While Redis does not answer, each process counts for itself."""

    # One round trip, and nobody in between. Gives milliseconds and the number of the limit that is reached.
    SCRIPT = """
        local most, which = 0, 0
        for i, key in ipairs(KEYS) do
            if tonumber(redis.call('GET', key) or '0') >= tonumber(ARGV[i + 1]) then
                local left = math.max(redis.call('PTTL', key), 1)
                if left > most then most, which = left, i end
            end
        end
        if which == 0 then
            for _, key in ipairs(KEYS) do
                if redis.call('INCR', key) == 1 then redis.call('PEXPIRE', key, ARGV[1]) end
            end
        end
        return {most, which}
    """

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(
            url, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS, retry=Retry(NoBackoff(), 0)
        )
        self._script = self.client.register_script(self.SCRIPT)
        self._meanwhile = InMemory()
        self._away_until = 0.0

    def wait(self, limits: Sequence[Limit]) -> tuple[float, str]:
        if time.monotonic() < self._away_until:
            return self._meanwhile.wait(limits)
        keys = [f"resolutionflow:limits:{key}" for key, _ in limits]
        try:
            left, which = self._script(keys, [int(WINDOW_SECONDS * 1000), *(most for _, most in limits)])
        except redis.RedisError as error:
            self._away_until = time.monotonic() + PAUSE_SECONDS
            log.warning("Redis does not answer; requests are counted in this process alone (%s).", type(error).__name__)
            return self._meanwhile.wait(limits)
        return (left / 1000, limits[which - 1][0]) if which else (0.0, "")


def counter() -> Counter:
    return InRedis(settings.REDIS_URL) if settings.REDIS_URL else InMemory()
