"""What `live.js`, `queue.js` and `connection.js` do, line by line, without a browser.

`world` is everything around the page: it keeps the time (`later`), takes requests (`ask`) and opens sockets (`dial`).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE = 1.0  # s: a heartbeat may overtake the frame that it counts
RETRY = 2.0  # s
LONGEST_WAIT = 30.0  # s
PREPENDS = {"handoff_created", "handoff_released"}

CARD = re.compile(r'<li class="card" id="handoff-([0-9a-f-]+)"[^>]* data-version="([^"]+)"')


@dataclass(frozen=True)
class Card:
    handoff: str
    version: str
    html: str

    @classmethod
    def parse(cls, html: str) -> "Card":
        found = CARD.match(html)
        assert found, html
        return cls(found[1], found[2], html)


@dataclass(frozen=True)
class Listed:
    """What the server answers to a page: where the feed stands, and the cards."""

    cursor: int
    base: int
    cards: list[Card]


class Page:
    """One tab that shows the queue."""

    def __init__(self, world: Any, user: Any, listed: Listed) -> None:
        self.world = world
        self.user = user
        self.base = listed.base
        self.cursor = listed.cursor
        self.cards = list(listed.cards)
        self.waiting: list[dict] = []
        self.resyncing = False
        self.again = False
        self.doubt: Any = None
        self.retry: Any = None
        self.socket: Any = None
        self.failures = 0
        self.is_ready = False
        self.is_closed = False
        self.connect()

    # live.js

    def receive(self, frame: dict) -> None:
        self.heard(frame)
        if frame["type"] == "ready":
            self.compare(frame["cursor"], 0)
        elif frame["type"] == "heartbeat":
            self.compare(frame["cursor"], PATIENCE)
        elif frame["type"] == "offers_changed":
            return  # another part of the page fetches
        elif self.resyncing:
            self.waiting.append(frame)
        else:
            self.take(frame)

    def take(self, frame: dict) -> None:
        if frame["cursor"] <= self.cursor:
            return
        if frame["cursor"] > self.cursor + 1:
            self.resync()
            return
        self.cursor = frame["cursor"]
        self.apply(frame)

    def compare(self, cursor: int, patience: float) -> None:
        if cursor == self.cursor:
            return
        went_back = cursor < self.cursor
        self.forget("doubt")

        def decide() -> None:
            self.doubt = None
            if cursor <= self.cursor and not went_back:
                return
            self.resync()
            if patience and not went_back:
                self.drop()

        self.doubt = self.later(patience, decide)

    def apply(self, frame: dict) -> None:
        if frame["html"]:
            self.place(Card.parse(frame["html"]), frame["type"])
        else:
            self.cards = [card for card in self.cards if card.handoff != frame["handoff"]]

    def place(self, card: Card, kind: str) -> None:
        shown = self.position_of(card)
        if shown is not None and kind not in PREPENDS:
            self.cards[shown] = card
        elif kind in PREPENDS:
            self.cards = [card, *(other for other in self.cards if other.handoff != card.handoff)]

    def resync(self) -> None:
        if self.resyncing:
            self.again = True
            return
        self.resyncing = True
        self.world.ask(self)

    def answered(self, listed: Listed | None) -> None:
        """The request of `resync` ended; None if it failed."""
        self.resyncing = False
        if listed is not None:
            self.settle(listed.cards)
            self.cursor = listed.cursor
        frames, self.waiting = self.waiting, []
        if listed is None:
            self.later(RETRY, self.resync)
            return
        for frame in frames:
            self.receive(frame)
        if self.again:
            self.again = False
            self.resync()

    # queue.js

    def settle(self, wanted: list[Card]) -> None:
        ids = {card.handoff for card in wanted}
        self.cards = [card for card in self.cards if card.handoff in ids]
        for position, card in enumerate(wanted):
            shown = self.position_of(card)
            if shown is not None:
                known = self.cards.pop(shown)
                card = card if known.version != card.version else known
            self.cards.insert(position, card)

    def position_of(self, card: Card) -> int | None:
        return next((n for n, shown in enumerate(self.cards) if shown.handoff == card.handoff), None)

    # connection.js

    def connect(self) -> None:
        self.forget("retry")
        self.hang_up()
        self.socket = self.world.dial(self)

    def heard(self, frame: dict) -> None:
        if frame["type"] == "ready":
            self.failures = 0
            self.is_ready = True

    def was_closed(self) -> None:
        self.socket = None
        self.is_ready = False
        self.come_back()

    def come_back(self) -> None:
        if self.is_closed or self.retry:
            return
        self.failures += 1
        self.retry = self.later(min(LONGEST_WAIT, 2.0 ** (self.failures - 1)), self.connect)

    def drop(self) -> None:
        self.hang_up()
        self.come_back()

    def hang_up(self) -> None:
        socket, self.socket = self.socket, None
        self.is_ready = False
        if socket:
            socket.hang_up()

    # and the tab

    def close(self) -> None:
        """It is closed, or goes to another address."""
        self.is_closed = True
        self.forget("doubt")
        self.forget("retry")
        self.hang_up()

    @property
    def is_settled(self) -> bool:
        """Nothing is on its way that this page waits for."""
        return self.is_ready and not (self.resyncing or self.again or self.doubt or self.retry)

    def later(self, seconds: float, work: Callable[[], None]) -> Any:
        return self.world.later(seconds, lambda: None if self.is_closed else work())

    def forget(self, name: str) -> None:
        if timer := getattr(self, name):
            timer.cancel()
        setattr(self, name, None)
