"""What the live side counts, for /metrics: plain numbers of this process, so that counting costs a socket nothing.

All of it happens on the one event loop that serves the sockets, so nothing here needs a lock.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class Counted:
    """Since the process began."""

    frames: int = 0  # written to sockets
    pieces: int = 0  # written to streams: events, keepalives
    readys: int = 0  # sockets that said where the feed is: opened, or overflowed
    overflows: int = 0  # mailboxes that were emptied, because their client did not keep up
    resyncs: int = 0  # streams that were told to ask anew
    sent_home: int = 0  # told to go because the process stops


counted = Counted()
