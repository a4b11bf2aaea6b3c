"""What clients cost while they wait, and when they do not read."""

from contextlib import ExitStack

from tests.bench.processes import Crowd, NeverReads, Triggered
from tests.bench.scene import Audience, Figure, Scene, median, ms, percentile

IDLE = 1000
STUCK = 10
LONG = "x" * 32_000
FLOOD = 400  # of these: 128 MB for the ten that do not read


def idle(scene: Scene) -> list[Figure]:
    """Resident bytes for each signed-in socket to which nothing happens."""
    of_ours, of_websockets = [], []
    for _ in range(scene.times(3)):
        of_ours.append(_bytes_per_socket(scene, Triggered.of_product(), "/ws/queue/"))
        plain = Triggered.of_module("tests.bench.plain_websockets")
        of_websockets.append(_bytes_per_socket(scene, plain, f"/{scene.group}"))
    mine, theirs = median(of_ours), median(of_websockets)
    details = f"of {IDLE} idle sockets each takes: ours {mine / 1024:.1f} KiB, websockets {theirs / 1024:.1f} KiB"
    return [Figure("memory per idle socket / websockets", mine / theirs, 2.2, False, details)]


def _bytes_per_socket(scene: Scene, server: Triggered, path: str) -> float:
    try:
        with Crowd() as crowd:
            crowd.ask("open", port=server.port, path=path, cookies=scene.cookies, count=50)  # what is made only once
            before = server.memory()
            crowd.ask("open", port=server.port, path=path, cookies=scene.cookies, count=IDLE)
            return (server.memory() - before) / IDLE
    finally:
        server.kill()


def stuck(scene: Scene) -> list[Figure]:
    """Ten clients that never read: the server's growth beside plain Daphne's, and what the others notice."""
    grown: dict[str, list[float]] = {"ours": [], "plain": []}
    others: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(scene.times(5)):
        for kind, arguments in (("ours", []), ("plain", ["--plain"])):
            with ExitStack() as opened:
                audience = Audience(opened, scene, Triggered.of_product(*arguments), 50)
                grown[kind].append(_growth(opened, audience, others if kind == "ours" else None))
    ratio = median(grown["ours"]) / median(grown["plain"])
    late = {hanging: percentile(seconds, 99) for hanging, seconds in others.items()}
    bytes_told = ", ".join(f"{kind} {median(sizes) / 1e6:.1f} MB" for kind, sizes in grown.items())
    return [
        Figure("growth with ten stuck clients / plain Daphne", ratio, 0.15, False, f"grown by: {bytes_told}"),
        Figure(
            "p99 of the others with ten stuck clients / without",
            late[True] / late[False],
            1.25,
            False,
            f"p99 among 50 others: {ms(late[True])} with, {ms(late[False])} without",
        ),
    ]


def _growth(opened: ExitStack, audience: Audience, others: dict[bool, list[float]] | None) -> int:
    """Bytes; `others` gets the delivery times of the sockets that do read, before and while ten hang."""
    audience.hear(50, gap=0.01, html=LONG)
    quiet = audience.hear(200, gap=0.01)
    before = audience.server.memory()
    for _ in range(STUCK):
        client = NeverReads(audience.server.port, audience.scene.cookies[0])
        opened.callback(client.close)
    audience.hear(FLOOD, gap=0.01, html=LONG)  # after which all ten are full, within the 10 s that they get
    hanging = audience.hear(200, gap=0.01)
    if others:
        others[False] += quiet.each()
        others[True] += hanging.each()
    return audience.server.memory() - before
