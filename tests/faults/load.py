"""People at work while something breaks: they escalate and race for what waits, and note what they were answered."""

import itertools
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable

import httpx

from tests.faults.installation import Installation, Person

SLOWEST_ANSWER = 20.0


class Load:
    """Two who escalate and two who pick up, each over any of the web processes, until told to stop.

    A request that was not answered is sent again with the same Idempotency-Key, as a careful program would.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        pace: float = 0.1,
        waiting: int = 30,
        events: int | None = None,
        urls: list[str] | None = None,
    ) -> None:
        self.installation = installation
        self.urls = urls or [web.url for web in installation.web]
        self.pace, self.waiting, self.most_events = pace, waiting, events
        self.escalated: dict[str, tuple[float, int]] = {}  # acknowledged: handoff → when, cursor
        self.claims: list[tuple[str, str]] = []  # acknowledged: handoff, person
        self.events = 0
        self.answers: Counter[str] = Counter()
        self.slowest = 0.0
        self.unforeseen: list[str] = []
        self._untaken: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._turn = itertools.count()
        escalators, pickers = installation.people[:2], installation.people[2:4]
        self._threads = [threading.Thread(target=self._work, args=(self._escalate, who)) for who in escalators]
        self._threads += [threading.Thread(target=self._work, args=(self._race, pickers)) for _ in range(2)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.finish()

    def finish(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def is_done(self) -> bool:
        return self.most_events is not None and self.events >= self.most_events

    def _work(self, step: Callable, who: object) -> None:
        with httpx.Client(timeout=SLOWEST_ANSWER) as http:
            while not self._stop.is_set() and not self.is_done():
                try:
                    step(http, who)
                except Exception as error:  # in a thread: kept for the test to see
                    self.unforeseen.append(repr(error))
                    return
                self._stop.wait(self.pace * random.uniform(0.5, 1.5))

    def _escalate(self, http: httpx.Client, who: Person) -> None:
        if len(self._untaken) >= self.waiting:
            return
        started = self._insist(http, who, "/api/sessions", {"title": "It loops", "client_name": "Brightwater"})
        if started is None:
            return
        told = {"intent": "escalate", "reason": "Stuck."}
        answer = self._insist(http, who, f"/api/sessions/{started.json()['id']}/handoffs", told)
        if answer is None:
            return
        handoff = answer.json()
        with self._lock:
            self.escalated[handoff["id"]] = (time.monotonic(), handoff["cursor"])
            self._untaken.append(handoff["id"])
            self.events += 1

    def _race(self, http: httpx.Client, rivals: list[Person]) -> None:
        """Take one of those that wait, now and then; both rivals of this pair go for the same ones."""
        with self._lock:
            if len(self._untaken) < self.waiting * 2 // 3:
                return
            handoff = self._untaken[0]
        who = random.choice(rivals)
        answer = self._insist(http, who, f"/api/handoffs/{handoff}/pick-up", {}, also=(409,))
        if answer is None:
            return
        with self._lock:
            if handoff in self._untaken:
                self._untaken.remove(handoff)
                self.events += 1
            if answer.status_code == 200:
                self.claims.append((handoff, who.id))

    def _insist(
        self, http: httpx.Client, who: Person, path: str, body: dict, also: tuple[int, ...] = ()
    ) -> httpx.Response | None:
        """Ask until it is acknowledged, or the work ends. Anything but no answer, 502 and 503 is unforeseen."""
        headers = {"Authorization": f"Bearer {who.token}", "Idempotency-Key": uuid.uuid4().hex}
        while True:
            url = self.urls[next(self._turn) % len(self.urls)]
            began = time.monotonic()
            answer = self._ask(http, url + path, body, headers)
            self.slowest = max(self.slowest, time.monotonic() - began)
            if answer is not None:
                if answer.is_success or answer.status_code in also:
                    return answer
                if answer.status_code != 503:
                    self.unforeseen.append(f"{answer.status_code} {path}: {answer.text[:300]}")
            if self._stop.is_set():
                return None
            time.sleep(0.2)

    def _ask(self, http: httpx.Client, url: str, body: dict, headers: dict[str, str]) -> httpx.Response | None:
        try:
            answer = http.post(url, json=body, headers=headers)
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
            return None
        self.answers[str(answer.status_code)] += 1
        return answer
