"""Does an escalation wait for its assessment? `python -m tests.bench.escalate`

Thirty escalations with an assessor that answers at once and thirty with one that takes 10 s, in turns, each on a
server of its own over the same database. Goal: the medians differ by less than 1.5 times.
"""

import statistics
import sys
import time
from typing import TYPE_CHECKING

from tests.bench.ground import fresh_database, machine

if TYPE_CHECKING:
    import httpx

    from resolutionflow.accounts.models import User
    from tests.serving import Server

ESCALATIONS = 30
WARM_UP = 3
GOAL = 1.5


def main() -> int:
    with fresh_database():
        from tests.serving import Server

        command = [sys.executable, "-m", "tests.bench.serve_with_assessor"]
        servers = {
            "instant": Server(command=[*command, "0"]).start(),
            "10 s": Server(command=[*command, "10"]).start(),
        }
        try:
            return report(measure(servers))
        finally:
            for server in servers.values():
                server.process.kill()
                server.process.wait()


def measure(servers: "dict[str, Server]") -> dict[str, list[float]]:
    """Seconds from sending the POST to its answer, by kind of assessor."""
    import httpx

    from resolutionflow.accounts.models import ApiToken
    from tests.factories import UserFactory

    ann = UserFactory()
    headers = {"Authorization": f"Bearer {ApiToken.issue(ann)[1]}"}
    clients = {kind: httpx.Client(base_url=server.url, headers=headers, timeout=30) for kind, server in servers.items()}
    took: dict[str, list[float]] = {kind: [] for kind in servers}
    for number in range(WARM_UP + ESCALATIONS):
        for kind, client in clients.items():
            seconds = escalate(client, ann)
            if number >= WARM_UP:
                took[kind].append(seconds)
    return took


def escalate(client: "httpx.Client", ann: "User") -> float:
    from tests.factories import SessionFactory

    session = SessionFactory(by=ann)
    began = time.perf_counter()
    answer = client.post(f"/api/sessions/{session.pk}/handoffs", json={"intent": "escalate", "reason": "Stuck."})
    took = time.perf_counter() - began
    assert answer.status_code == 201, answer.text
    return took


def report(took: dict[str, list[float]]) -> int:
    print(f"{ESCALATIONS} escalations each, in turns; {machine()}")
    medians = {kind: statistics.median(seconds) for kind, seconds in took.items()}
    for kind, seconds in took.items():
        print(f"  assessor {kind:8} median {1000 * medians[kind]:6.1f} ms   slowest {1000 * max(seconds):6.1f} ms")
    ratio = max(medians.values()) / min(medians.values())
    print(f"  ratio {ratio:.2f} (goal: below {GOAL})")
    return int(ratio >= GOAL)


if __name__ == "__main__":
    sys.exit(main())
