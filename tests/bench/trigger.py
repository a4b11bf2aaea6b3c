"""How a benchmark makes a server process publish: orders on its standard input, answers on its standard output.

The same for every server that is compared, so that none of them pays for being asked. Each order is a JSON line:
`{"group", "frames", "gap"}` publishes the frames, `gap` seconds apart, and answers with the moment of each
(`time.perf_counter()`, which all processes of a machine share); any other order goes to `otherwise`.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

Publish = Callable[[str, dict[str, Any]], object]


def listen(publish: Publish, otherwise: Callable[[dict[str, Any]], object] = print) -> None:
    """Obey orders from a thread of their own, as a request's thread would call `publish`."""
    threading.Thread(target=_obey, args=(publish, otherwise), daemon=True).start()


def _obey(publish: Publish, otherwise: Callable[[dict[str, Any]], object]) -> None:
    for line in sys.stdin:
        order = json.loads(line)
        answer = {"at": _publish_all(publish, **order)} if "frames" in order else {"done": otherwise(order)}
        print(json.dumps(answer), flush=True)


def _publish_all(publish: Publish, *, group: str, frames: list[dict[str, Any]], gap: float) -> list[float]:
    at = []
    for frame in frames:
        at.append(time.perf_counter())
        publish(group, frame)
        if gap:
            time.sleep(gap)
    return at
