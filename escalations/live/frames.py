"""The frames that the server writes by itself; all others come from `announce`."""

import json

# Every few seconds while the database does not answer, in place of heartbeats. Whoever does not know it may ignore it.
UNAVAILABLE = json.dumps({"type": "unavailable"})


def ready(cursor: int) -> str:
    """The first frame of a socket, and the only one after an overflow: "you are at this cursor now"."""
    return json.dumps({"type": "ready", "cursor": cursor})


def heartbeat(cursor: int) -> str:
    """At least every 15 s: still here, and this far."""
    return json.dumps({"type": "heartbeat", "cursor": cursor})
