"""A web process that is told to stop: it says so first, sends its sockets and streams home, and finishes what it has.

SIGTERM is the supervisor's; Ctrl-C hurries (test_serve.py).
"""

import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from types import SimpleNamespace

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from escalations.live.doors import Doors
from resolutionflow.accounts.models import User
from resolutionflow.management.commands import serve
from resolutionflow.stopping import Stopping
from tests.serving import Server, cookie_of
from tests.streams import Stream

DRAIN, SPREAD = 1.0, 1.0  # seconds
COME_BACK = 4012
SLOW_PAGE = """
import os, sys, time
os.environ["DJANGO_SETTINGS_MODULE"] = "resolutionflow.settings"
import django
django.setup()
from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
import manage
from resolutionflow import pages

@login_not_required
def start(request):
    time.sleep(float(request.GET.get("for", 0)))
    return HttpResponse("done")

pages.start = start
sys.argv[:1] = ["manage.py", "serve"]
manage.main()
"""


@pytest.fixture
def server(transactional_db) -> Iterator[Server]:
    server = Server(
        "--no-worker",
        command=[sys.executable, "-c", SLOW_PAGE],
        STOP_DRAIN_SECONDS=str(DRAIN),
        STOP_SPREAD_SECONDS=str(SPREAD),
    )
    yield server.start()
    if server.process.poll() is None:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def listen(server) -> Iterator[Callable[[User], ClientConnection]]:
    """`listen(ann)` is a page of hers that is live."""
    with ExitStack() as sockets:

        def live(user: User) -> ClientConnection:
            headers = {"Cookie": f"sessionid={cookie_of(user)}"}
            socket = sockets.enter_context(connect(f"{server.ws_url}/ws/queue/", additional_headers=headers))
            assert json.loads(socket.recv(timeout=10))["type"] == "ready"
            return socket

        yield live


def closed_after(socket: ClientConnection, began: float) -> tuple[int, float]:
    """The close code (1006: none came), and the seconds from `began` on."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=20)
    return socket.close_code, time.monotonic() - began


def test_a_stop_loses_nobody(server, listen, ann, ben):
    sockets = [listen(ann) for _ in range(8)]
    slow: list[httpx.Response] = []
    asking = threading.Thread(
        target=lambda: slow.append(httpx.get(f"{server.url}/?for={DRAIN + SPREAD + 1}", timeout=20))
    )
    with httpx.Client(base_url=server.url) as kept_alive, Stream(server, ben) as stream:
        assert "connection" not in kept_alive.get("/healthz").headers
        asking.start()
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        # It says that it stops, and everything still works
        while (ready := kept_alive.get("/readyz?only=process")).status_code == 200:
            assert time.monotonic() - began < DRAIN
        assert (ready.status_code, ready.json()) == (503, {"status": "stopping"})
        assert ready.headers["connection"] == "close"
        assert httpx.get(f"{server.url}/healthz").json() == {"status": "up"}
        assert httpx.get(f"{server.url}/login/").status_code == 200
        late = listen(ann)
        assert stream.ended(DRAIN + SPREAD + 2)
    # Everybody is told to come back, not at once and not all at the same moment
    with ThreadPoolExecutor(len(sockets) + 1) as pool:
        ends = list(pool.map(lambda socket: closed_after(socket, began), [*sockets, late]))
    assert {code for code, _ in ends} == {COME_BACK}
    at = sorted(seconds for _, seconds in ends)
    assert at[0] >= DRAIN
    assert at[-1] - at[0] > SPREAD / 10
    assert at[-1] < DRAIN + SPREAD + 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/healthz")
    # And the request at hand is answered
    asking.join(20)
    assert slow[0].text == "done"
    assert server.process.wait(timeout=10) == 0
    assert server.said().endswith("Stopped.\n")
    assert "Traceback" not in server.said()
    assert "ERROR" not in server.said()


@pytest.mark.parametrize(("hurry", "least"), [(False, 0.4), (True, 0.0)])
def test_ctrl_c_leaves_out_the_pauses(hurry, least, settings, monkeypatch):
    settings.STOP_DRAIN_SECONDS = 0.4
    settings.STOP_SPREAD_SECONDS = 0.1
    monkeypatch.setattr(serve, "stopping", Stopping())
    monkeypatch.setattr(serve, "doors", Doors())
    monkeypatch.setattr(serve, "give_up_later", lambda *told: None)

    async def scenario() -> float:
        stopped = asyncio.Event()
        server = SimpleNamespace(ports=[], stop=stopped.set)
        began = time.monotonic()
        serve.Stop(asyncio.get_running_loop(), None, server).begin(hurry)
        await stopped.wait()
        return time.monotonic() - began

    assert least <= asyncio.run(scenario()) < least + 0.3
