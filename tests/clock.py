"""An event loop that never waits: when nothing is left to do, its clock jumps to the next timer.

For code that only waits for timers of its own loop. What a thread or a socket answers would come too late in it.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Jumps(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    now = 1000.0  # seconds

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout > 0:
            self.now += timeout
            timeout = 0
        return super().select(timeout)


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumps = _Jumps()
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now


def run(scenario: Coroutine[Any, Any, Any], *, seconds: float = 10) -> Any:
    """Run it with at most so many of the loop's own seconds."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(_at_most(scenario, seconds))


async def _at_most(scenario: Coroutine[Any, Any, Any], seconds: float) -> Any:
    return await asyncio.wait_for(scenario, timeout=seconds)
