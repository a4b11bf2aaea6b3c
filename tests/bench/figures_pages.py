"""Pages beside pushes: what refetching costs, what the queue page costs, and the whole path of an escalation."""

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from tests.bench.processes import Crowd, Triggered
from tests.bench.scene import Audience, Figure, Scene, median, ms, percentile
from tests.cookies import cookies_of

if TYPE_CHECKING:
    import httpx

STAGES = ("request and transaction", "rendering the frame", "to the hub", "to the last socket")


def refetch(scene: Scene) -> list[Figure]:
    """One event to 500 sockets, beside 500 clients that fetch the queue page (50 cards) to see it."""
    wait_with(scene, 50)
    with ExitStack() as opened:
        audience = Audience(opened, scene, Triggered.of_product(), 500)
        pushed, fetched, refused = [], [], 0
        for _ in range(scene.times(3)):
            pushed += [audience.hear(1).until_last()[0] for _ in range(5)]
            told = audience.crowd.ask(
                "fetch", port=audience.server.port, path="/queue/", cookies=scene.cookies, clients=500
            )
            fetched.append(told["seconds"])
            refused += told["refused"]
    details = (
        f"until all 500 know: pushed {ms(median(pushed))}, everybody fetches the page {median(fetched):.2f} s"
        f" ({refused} of {500 * len(fetched)} fetches got a 503 first and were made again)"
    )
    return [Figure("500 page fetches / one push", median(fetched) / median(pushed), 100.0, True, details)]


def page(scene: Scene) -> list[Figure]:
    """Requests a second of the queue page, warm: beside rendering its cards, and beside a page that does nothing."""
    figures = []
    for cards in (50, 200):
        wait_with(scene, cards)
        with ExitStack() as opened:
            warm, rendered = Triggered.of_product(), Triggered.of_product("--rendered")
            opened.callback(warm.kill)
            opened.callback(rendered.kill)
            crowd = opened.enter_context(Crowd())
            rates: dict[str, list[float]] = {}
            for _ in range(scene.times(5)):
                for name, server, path in (
                    ("warm", warm, "/queue/"),
                    ("fragment", warm, "/queue/cards/?base=0"),
                    ("rendered", rendered, "/queue/"),
                    ("trivial", warm, "/bench/trivial/"),
                ):
                    rates.setdefault(name, []).append(_per_second(scene, crowd, server, path, name == "rendered"))
        rate = {name: median(values) for name, values in rates.items()}
        told = ", ".join(f"{name} {value:.0f}" for name, value in rate.items())
        details = f"requests/s with {cards} cards: {told}"
        figures += [
            Figure(f"queue page, {cards} cards, warm / rendered", rate["warm"] / rate["rendered"], 5.0, True, details),
            Figure(f"queue page, {cards} cards, warm / trivial", rate["warm"] / rate["trivial"], 0.75, True, details),
        ]
    return figures


def _per_second(scene: Scene, crowd: Crowd, server: Triggered, path: str, slow: bool) -> float:
    """Four clients at once; the first fetches warm the caches."""
    crowd.ask("fetch", port=server.port, path=path, cookies=scene.cookies, clients=4, each=1)
    each = 10 if slow else 40
    told = crowd.ask("fetch", port=server.port, path=path, cookies=scene.cookies, clients=4, each=each)
    assert not told["refused"]
    return 4 * each / told["seconds"]


def whole_path(scene: Scene) -> list[Figure]:
    """From sending the POST of an escalation to the card in the last of 500 signed-in sockets."""
    import httpx

    with ExitStack() as opened:
        audience = Audience(opened, scene, Triggered.of_product(), 500)
        cookies = cookies_of(scene.cookies[0])
        client = opened.enter_context(
            httpx.Client(base_url=audience.server.url, cookies=cookies, headers={"X-CSRFToken": "x" * 32}, timeout=30)
        )
        paths = [_one_path(scene, audience, client) for _ in range(scene.times(60) + 3)][3:]
        marks = audience.server.tell(marks=True)["done"][-len(paths) :]
    whole = [last - sent for sent, last in paths]
    shares = _shares(paths, marks)
    told = ", ".join(f"{name} {100 * share:.0f}%" for name, share in zip(STAGES, shares, strict=True))
    details = f"p50 {ms(median(whole))}, p99 {ms(percentile(whole, 99))} of {len(whole)}; medians of the stages: {told}"
    return [Figure("POST to the card in the last of 500, p50 in seconds", median(whole), 1.0, False, details)]


def _one_path(scene: Scene, audience: Audience, client: "httpx.Client") -> tuple[float, float]:
    """When one escalation was sent, and when the last socket had its card."""
    from tests.factories import SessionFactory

    session = SessionFactory(by=scene.people[0])
    sent = time.perf_counter()
    answer = client.post(f"/sessions/{session.pk}/escalate/", data={"reason": "Stuck.", "priority": "normal"})
    assert answer.status_code == 302, answer.text
    got: dict[str, Any] = audience.crowd.ask("collect", frames=1, seconds=40)
    assert str(session.handoffs.get().pk) in got["frames"][0]
    assert (len(got["arrivals"][0]), got["wrong"], got["strangers_got"]) == (audience.count, 0, 0)
    return sent, max(got["arrivals"][0])


def _shares(paths: list[tuple[float, float]], marks: list[list[float]]) -> list[float]:
    """Of each stage's median in the sum of them."""
    moments = [(sent, *mark, last) for (sent, last), mark in zip(paths, marks, strict=True)]
    stages = [median([one[n + 1] - one[n] for one in moments]) for n in range(len(STAGES))]
    return [stage / sum(stages) for stage in stages]


def wait_with(scene: Scene, cards: int) -> None:
    """Fill the queue up to so many waiting cards."""
    from escalations.models import Handoff
    from tests.factories import HandoffFactory

    waiting = Handoff.objects.for_account(scene.account).filter(state="waiting").count()
    for number in range(cards - waiting):
        HandoffFactory(by=scene.people[number % len(scene.people)])
