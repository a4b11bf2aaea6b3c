"""Exactly so many get through in a minute, whoever counts: this process, or Redis for several."""

import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from resolutionflow.limits import counting
from resolutionflow.limits.counting import InMemory, InRedis
from tests.valkey import Valkey

ANN, HARBOR = "user:ann:reads", "account:harbor:reads"
COUNT = """
import sys
from resolutionflow.limits.counting import InRedis
counter = InRedis(sys.argv[1])
print(sum(counter.wait([("user:crowd:reads", 500)]) == (0.0, "") for _ in range(400)))
"""


@pytest.fixture(scope="module")
def valkey():
    running = Valkey().start()
    yield running
    running.stop()


@pytest.fixture(params=["memory", "redis"])
def counter(request):
    if request.param == "memory":
        yield InMemory()
    else:
        counter = InRedis(request.getfixturevalue("valkey").url)
        yield counter
        counter.client.close()


def let_through(counter, limits, times):
    return [counter.wait(limits)[1] for _ in range(times)].count("")


def test_so_many_get_through_and_then_none(counter):
    assert let_through(counter, [(f"{ANN}1", 5)], 20) == 5
    seconds, reached = counter.wait([(f"{ANN}1", 5)])
    assert reached == f"{ANN}1"
    assert 50 < seconds <= counting.WINDOW_SECONDS


def test_what_is_refused_for_one_uses_up_nothing_of_the_account(counter):
    account = (f"{HARBOR}2", 12)
    assert let_through(counter, [(f"{ANN}2", 5), account], 50) == 5
    assert let_through(counter, [("user:ben:reads2", 10), account], 50) == 7
    assert counter.wait([("user:ben:reads2", 10), account])[1] == f"{HARBOR}2"


def test_after_its_minute_everything_is_open_again(counter, monkeypatch):
    monkeypatch.setattr(counting, "WINDOW_SECONDS", 0.2)
    assert let_through(counter, [(f"{ANN}3", 3)], 5) == 3
    until = time.monotonic() + 5
    while counter.wait([(f"{ANN}3", 3)])[1]:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_many_threads_get_no_more_than_one(counter):
    with ThreadPoolExecutor(8) as pool:
        through = pool.map(lambda _: let_through(counter, [(f"{ANN}4", 100)], 50), range(8))
        assert sum(through) == 100


def test_two_processes_share_one_limit(valkey):
    command = [sys.executable, "-c", COUNT, valkey.url]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sum(int(process.communicate(timeout=60)[0]) for process in both) == 500


def test_memory_forgets_whose_minute_is_over(monkeypatch):
    counter = InMemory()
    monkeypatch.setattr(counting, "WINDOW_SECONDS", 0.0)
    monkeypatch.setattr(counting, "MANY", 10)
    for number in range(100):
        counter.wait([(f"address:{number}", 5)])
    assert len(counter._counts) <= 12


def test_without_redis_each_process_counts_for_itself_and_nobody_waits_long():
    valkey = Valkey().start()
    counter = InRedis(valkey.url)
    try:
        assert let_through(counter, [(ANN, 3)], 2) == 2
        valkey.kill()
        begun = time.monotonic()
        assert let_through(counter, [(ANN, 3)], 50) == 3
        assert time.monotonic() - begun < 1
        valkey.start()
        counter._away_until = 0.0
        assert let_through(counter, [(ANN, 3)], 50) == 3
    finally:
        counter.client.close()
        valkey.stop()


def test_a_redis_that_hangs_holds_nobody_up():
    with socket.create_server(("127.0.0.1", 0)) as mute:
        counter = InRedis(f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        begun = time.monotonic()
        assert let_through(counter, [(ANN, 100)], 100) == 100
        assert time.monotonic() - begun < 4 * counting.ANSWER_SECONDS
