"""How fast a frame gets to everybody, and what that costs the server."""

import time
from contextlib import ExitStack

from tests.bench.processes import Triggered
from tests.bench.scene import Audience, Figure, Scene, median, ms


def fanout(scene: Scene) -> list[Figure]:
    """One event to 500 sockets: until the last one has it, beside the best that Python does and the usual pattern."""
    with ExitStack() as opened:
        ours = Audience(opened, scene, Triggered.of_product(), 500)
        best = Audience(opened, scene, Triggered.of_module("tests.bench.plain_websockets"), 500)
        usual = Audience(opened, scene, Triggered.of_module("tests.bench.usual_pattern"), 500)
        uvicorn = Audience(opened, scene, Triggered.of_product("--uvicorn"), 500)
        took = _in_turns([ours, best, usual, uvicorn], scene.times(25))
    names = ("ours", "websockets.broadcast", "usual", "ours on uvicorn")
    details = "until the last of 500: " + ", ".join(f"{n} {ms(each)}" for n, each in zip(names, took, strict=True))
    return [
        Figure("last of 500 on uvicorn / websockets.broadcast", took[3] / took[1], 1.6, False, details),
        Figure("last of 500 / websockets.broadcast", took[0] / took[1], 3.0, False, details),
        Figure("usual pattern / ours, 500 sockets", took[2] / took[0], 8.0, True, details),
    ]


def fanout_2000(scene: Scene) -> list[Figure]:
    """The same with 2,000 sockets, and whether a message costs more in a crowd than among 100."""
    with ExitStack() as opened:
        ours = Audience(opened, scene, Triggered.of_product(), 2000)
        usual = Audience(opened, scene, Triggered.of_module("tests.bench.usual_pattern"), 2000)
        few = Audience(opened, scene, Triggered.of_product(), 100)
        took = _in_turns([ours, usual], scene.times(10))
        many_cpu, few_cpu = [], []
        for _ in range(scene.times(5)):
            many_cpu.append(ours.hear(30, gap=0.1).cpu / (30 * 2000))
            few_cpu.append(few.hear(600, gap=0.005).cpu / (600 * 100))
    cost = f"server CPU per message {1e6 * median(many_cpu):.1f} µs at 2,000, {1e6 * median(few_cpu):.1f} µs at 100"
    until = f"until the last of 2,000: ours {ms(took[0])}, usual {ms(took[1])}"
    return [
        Figure("usual pattern / ours, 2,000 sockets", took[1] / took[0], 12.0, True, until),
        Figure("CPU per message, 2,000 / 100 sockets", median(many_cpu) / median(few_cpu), 1.25, False, cost),
    ]


def burst(scene: Scene) -> list[Figure]:
    """300 events at once to 100 sockets; every socket ends with every event."""
    with ExitStack() as opened:
        ours = Audience(opened, scene, Triggered.of_product(), 100)
        usual = Audience(opened, scene, Triggered.of_module("tests.bench.usual_pattern"), 100)
        rates: list[list[float]] = [[], []]
        for _ in range(scene.times(5)):
            for rate, audience in zip(rates, (ours, usual), strict=True):
                rate.append(audience.hear(300).events_per_second())
    mine, theirs = map(median, rates)
    details = f"events/s to 100 sockets: ours {mine:.0f}, usual {theirs:.0f}"
    return [Figure("burst of 300 events, ours / usual pattern", mine / theirs, 6.0, True, details)]


def slow_database(scene: Scene) -> list[Figure]:
    """A consumer asks the database something that takes 2 s. Who else waits?"""
    with ExitStack() as opened:
        ours = Audience(opened, scene, Triggered.of_product(), 500)
        quiet, slow = [], []
        for _ in range(scene.times(20)):
            quiet += ours.hear(5, gap=0.15).each()
            ours.server.tell(seconds=2.0)
            slow += ours.hear(5, gap=0.15).each()
            time.sleep(1.5)  # the call is over before the next quiet spell
    details = f"median delivery among 500: {ms(median(slow))} meanwhile, {ms(median(quiet))} without"
    return [Figure("delivery during a 2 s database call / without", median(slow) / median(quiet), 1.5, False, details)]


def _in_turns(audiences: list[Audience], times: int) -> list[float]:
    """The median time until the last socket had an event, of each audience; the first event of each does not count."""
    took: list[list[float]] = [[] for _ in audiences]
    for number in range(times + 1):
        for seconds, audience in zip(took, audiences, strict=True):
            (until_last,) = audience.hear(1).until_last()
            if number:
                seconds.append(until_last)
    return [median(seconds) for seconds in took]
