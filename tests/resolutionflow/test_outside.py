"""Addresses that an account writes down: which are asked, at which machine, and for how long."""

import socket
import ssl
import threading
import time

import pytest

from resolutionflow import outside
from resolutionflow.outside import Unreachable, ask
from tests.certificates import authority_and_server
from tests.receiver import Receiver

HOSTILE = [
    # this machine, in every way of writing it
    "https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://2130706433/", "https://0x7f000001/",
    "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://017700000001/", "https://127.000.000.001/", "https://0/",
    "https://0.0.0.0/", "https://[::1]/", "https://[::]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/", "https://[0:0:0:0:0:ffff:7f00:0001]/", "https://localhost/", "https://LOCALHOST:443/",
    "https://localhost./", "https://127.0.0.1.:443/", "https://[::1%25lo]/", "https://[::1%lo]/",
    # networks around it
    "https://10.0.0.1/", "https://172.16.5.4/", "https://192.168.1.1/", "https://100.64.0.1/", "https://169.254.169.254/",
    "https://169.254.169.254/latest/meta-data/", "https://[fe80::1]/", "https://[fc00::1]/", "https://[fd00:ec2::254]/",
    "https://2852039166/", "https://0xa9fea9fe/", "https://0251.0376.0251.0376/", "https://[::ffff:169.254.169.254]/",
    "https://[64:ff9b::10.0.0.1]/", "https://[2002:7f00:1::]/", "https://[2002:a00:1::]/", "https://224.0.0.1/",
    "https://255.255.255.255/", "https://[ff02::1]/", "https://198.18.0.1/", "https://192.0.2.1/", "https://240.0.0.1/",
    # other ways of speaking
    "http://example.com/", "ftp://example.com/", "file:" + "///etc/passwd", "gopher://example.com/_x", "dict://example.com/",
    "javascript:alert(1)", "data:text/plain,x", "ldap://example.com/", "https:example.com", "//example.com/",
    "example.com", "unix:///run/docker.sock", "https+unix://x/", "",
    # names that are read in two ways
    "https://user@example.com/", "https://user:pass@example.com/", "https://example.com@127.0.0.1/",
    "https://example.com\\@127.0.0.1/", "https://127.0.0.1\\.example.com/", "https://example.com#@127.0.0.1/",
    "https://example.com/#x", "https://exa mple.com/", " https://example.com/", "https://example.com/ x",
    "https://example.com/\r\nX-Admin: yes", "https://example.com/\nx", "https://exam\tple.com/", "https://example.com\x00.org/",
    "https://example.com./", "https://example..com/", "https://.example.com/", "https://-example.com/", "https://ⓔxample.com/",
    "https://ｅxample.com/", "https://example。com/", "https://①②⑦.⓪.⓪.①/", "https://exämple.com/", "https://%31%32%37.0.0.1/",
    "https://example.com%2f@127.0.0.1/", "https://[::1/", "https://::1/", "https://[example.com]/",
    "https://" + "a" * 300 + ".com/",
    # ports of something else
    "https://example.com:22/", "https://example.com:25/", "https://example.com:80/", "https://example.com:110/",
    "https://example.com:0/", "https://example.com:6379/", "https://example.com:5432/", "https://example.com:11211/",
    "https://example.com:65536/", "https://example.com:99999/", "https://example.com:-1/", "https://example.com:4 43/",
    "https://example.com:https/", "https://example.com:/", "https://example.com:２２/",
]  # fmt: skip
FINE = [
    "https://example.com", "https://example.com/", "https://example.com/a/b?c=d&e=%2F", "https://EXAMPLE.com:443/x",
    "https://xn--exmple-cua.com/", "https://hooks.sub-domain.example.co.uk:8443/x", "https://example.com:5678/webhook/1",
    "https://8.8.8.8/", "https://[2606:4700::1111]/x", "https://_x.example.com/", "https://example.com?x=1",
]  # fmt: skip


@pytest.fixture
def resolver(monkeypatch):
    """What names lead to, one answer after the other; and where connections went. Nothing leaves the machine."""

    class Resolver:
        answers: list[list[str]] = [["93.184.215.14"]]
        asked: list[str] = []
        connected: list[tuple] = []

    told = Resolver()
    told.asked, told.connected = [], []

    def getaddrinfo(host, port, *args, **kwargs):
        told.asked.append(host)
        answer = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
        if host.replace(".", "").isdigit() or ":" in host:
            answer = [host]
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port)) for each in answer]

    class Socket(socket.socket):
        def connect(self, address):
            told.connected.append(address)
            raise ConnectionRefusedError

    monkeypatch.setattr(outside.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(outside.socket, "socket", Socket)
    return told


def connects(address, *, private=False):
    with pytest.raises(Unreachable) as refused:
        ask(address, private=private, headers={})
    return str(refused.value)


def test_there_are_enough_of_them():
    assert len(set(HOSTILE)) >= 60


@pytest.mark.parametrize("address", FINE)
def test_what_is_fine_is_asked(resolver, address):
    assert connects(address) == "It does not answer."
    assert resolver.connected


@pytest.mark.parametrize("address", HOSTILE)
def test_what_is_hostile_is_not_asked(resolver, address):
    resolver.answers = [["127.0.0.1"] if "local" in address.lower() else ["93.184.215.14"]]
    connects(address)
    assert resolver.connected == []


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"], ["fe80::1"], ["0.0.0.0"],
        ["93.184.215.14", "127.0.0.1"], ["2606:2800:21f:cb07::1", "fd00::1"], [],
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_asked(resolver, addresses):
    resolver.answers = [addresses]
    connects("https://looks-fine.example.com/")
    assert resolver.connected == []


def test_a_name_that_leads_elsewhere_a_moment_later_gains_nothing(resolver):
    resolver.answers = [["93.184.215.14"], ["127.0.0.1"]]
    connects("https://rebinds.example.com/")
    assert resolver.asked == ["rebinds.example.com"], "looked up once"
    assert resolver.connected == [("93.184.215.14", 443)], "and asked there"


def test_private_networks_only_where_the_operator_says_so(resolver):
    for address in ("10.0.0.1", "127.0.0.1", "192.168.7.7"):
        resolver.answers = [[address]]
        connects("https://inside.example.com:8080/", private=True)
    assert resolver.connected == [("10.0.0.1", 8080), ("127.0.0.1", 8080), ("192.168.7.7", 8080)]


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "255.255.255.255"])
def test_some_are_never_asked(resolver, address):
    resolver.answers = [[address]]
    connects("https://inside.example.com/", private=True)
    assert resolver.connected == []


def test_plain_http_goes_to_this_machine_alone(resolver):
    resolver.answers = [["10.0.0.1"]]
    assert "https" in connects("http://inside.example.com/", private=True)
    assert resolver.connected == []


# Real connections


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


def test_redirects_are_not_followed(receiver):
    receiver.status, receiver.headers = 302, {"Location": "http://127.0.0.1:1/elsewhere"}
    assert ask(receiver.url, private=True, method="POST", body=b"{}", headers={}).status == 302


@pytest.fixture
def trickle():
    """Answers a byte at a time, for ever."""
    listening = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def serve():
        peer, _ = listening.accept()
        with peer:
            peer.sendall(b"HTTP/1.1 200 OK\r\n")
            try:
                while not over.wait(0.02):
                    peer.sendall(b"X")
            except OSError:
                over.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    over.set()
    thread.join(5)
    listening.close()


def test_who_answers_a_byte_at_a_time_is_given_up(trickle, monkeypatch):
    monkeypatch.setattr(outside, "SECONDS", 0.4)
    began = time.monotonic()
    assert connects(trickle, private=True) in {"It does not answer.", "It takes too long to answer."}
    assert time.monotonic() - began < 3


def test_an_answer_without_end_is_given_up(receiver, monkeypatch):
    monkeypatch.setattr(outside, "LARGEST", -1)
    receiver.status = 404
    assert connects(receiver.url, private=True) == "Its answer is too long."


def test_the_certificate_is_that_of_the_name_though_the_address_is_pinned(monkeypatch, tmp_path):
    """A real TLS server on loopback: right name, wrong name, and a name that only its own resolver knows."""
    authority, server = authority_and_server(tmp_path, name="hooks.example.com")
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    names: list[str | None] = []
    told = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    told.load_cert_chain(server)
    told.sni_callback = lambda peer, name, context: names.append(name)

    def serve():
        for _ in range(2):
            peer, _ = listening.accept()
            try:
                with told.wrap_socket(peer, server_side=True) as wrapped:
                    wrapped.recv(4096)
                    wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                peer.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    here = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]
    monkeypatch.setattr(outside.socket, "getaddrinfo", lambda *args, **kwargs: here)
    monkeypatch.setattr(outside, "context", lambda: ssl.create_default_context(cafile=authority))
    assert ask(f"https://hooks.example.com:{port}/", private=True, headers={}).body == b"ok"
    assert connects(f"https://other.example.com:{port}/", private=True).startswith("Its certificate")
    thread.join(5)
    listening.close()
    assert names == ["hooks.example.com", "other.example.com"]
