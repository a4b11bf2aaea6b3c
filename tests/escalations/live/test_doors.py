"""Sockets and streams follow the account: whoever signed out, was switched off or moved hears nothing any more.

Every test first shows that the connection is alive, and at the end that what happens afterwards does not arrive.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Self

import httpx
import pytest
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from escalations.models import FeedCounter
from resolutionflow.accounts.admission import Admission, Standing, look_again
from resolutionflow.accounts.models import ApiToken, User
from tests.factories import SessionFactory
from tests.serving import Server, cookie_of, post
from tests.streams import Ended, Stream

AT_ONCE = 2.0  # seconds, in the process where it happens; a heartbeat there takes 15
HEARTBEAT = 1.0  # seconds, of the server behind whose back it happens
PASSWORD = "a long walk home"


@pytest.fixture(scope="module")
def processes(django_db_setup, django_db_blocker):
    """Two servers beside the tests' common one, whose worker does the work: an ordinary one, and a brisk one."""
    with django_db_blocker.unblock():
        ordinary = Server("--no-worker").start()
        brisk = Server("--no-worker", LIVE_HEARTBEAT_SECONDS=str(HEARTBEAT)).start()
    yield ordinary, brisk
    ordinary.stop()
    brisk.stop()


@pytest.fixture
def ordinary(server, processes):
    return processes[0]


@pytest.fixture
def brisk(server, processes):
    return processes[1]


class Socket:
    """A page's socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    def hears(self, kind: str) -> bool:
        while (frame := json.loads(self.socket.recv(timeout=10)))["type"] == "heartbeat":
            pass
        return frame["type"] == kind

    def ends(self, within: float) -> int:
        """The close code, if there is one in time; what was on its way may come before it."""
        until = time.monotonic() + within
        try:
            while time.monotonic() < until:
                self.socket.recv(timeout=until - time.monotonic())
        except ConnectionClosed as closed:
            return closed.rcvd.code
        except TimeoutError:
            pass
        return 0


@contextmanager
def socket_of(server: Server, cookie: str, path: str = "/ws/queue/") -> Iterator[Socket]:
    """One that is ready."""
    with connect(server.ws_url + path, additional_headers={"Cookie": f"sessionid={cookie}"}) as client:
        socket = Socket(client)
        assert socket.hears("ready")
        yield socket


class Program(Stream):
    """A program's stream."""

    def __enter__(self) -> Self:
        assert self.hears("ready")
        return self

    def hears(self, kind: str) -> bool:
        return self.event()["event"] == kind

    def ends(self, within: float) -> int:
        return 4401 if self.ended(within) else 0


Change = Callable[[Server, User, User, str, ApiToken], object]


def escalate(server: Server, by: User) -> None:
    session = SessionFactory(by=by, problem="")
    assert post(server, by, f"/sessions/{session.pk}/escalate/", reason="Stuck.", priority="high").status_code == 302


def expect_the_end(server: Server, change: Change, ann: User, ben: User, adam: User, *, kind: str, within: float):
    """Open `kind` as ben, see it alive, `change` him, see it end in time, and hear nothing of what ann does then.

    Gives the close code; a stream's end counts as 4401.
    """
    cookie, (token, plain) = cookie_of(ben), ApiToken.issue(ben)
    ways = {
        "socket": lambda: socket_of(server, cookie),
        "stream by sign-in": lambda: Program(server, cookie=cookie),
        "stream by token": lambda: Program(server, token=plain),
    }
    with ways[kind]() as opened:
        escalate(server, ann)
        assert opened.hears("handoff_created")
        change(server, adam, ben, cookie, token)
        code = opened.ends(within)
        if code:
            escalate(server, ann)
            with pytest.raises((ConnectionClosed, Ended)):
                opened.hears("anything")
        return code


# Through the product's own doors: at once


def of_person(person: User, **changes: str) -> dict[str, str]:
    form = {"email": person.email, "name": person.name, "role": person.role, "is_active": "on"} | changes
    return {name: value for name, value in form.items() if value}


def change_person(server: Server, adam: User, ben: User, **changes: str) -> None:
    address = f"/admin/accounts/user/{ben.pk}/change/"
    assert post(server, adam, address, **of_person(ben, **changes)).status_code == 302


def sign_out(server, adam, ben, cookie, token):
    cookies = {"sessionid": cookie, "csrftoken": "x" * 32}
    answer = httpx.post(server.url + "/logout/", cookies=cookies, headers={"X-CSRFToken": "x" * 32})
    assert answer.status_code == 302
    assert not Session.objects.filter(session_key=cookie).exists()


def switch_off(server, adam, ben, cookie, token):
    change_person(server, adam, ben, is_active="")
    assert not User.objects.get(pk=ben.pk).is_active


def new_password(server, adam, ben, cookie, token):
    form = {"password1": PASSWORD, "password2": PASSWORD}
    assert post(server, adam, f"/admin/accounts/user/{ben.pk}/password/", **form).status_code == 302
    assert User.objects.get(pk=ben.pk).password != ben.password


def make_viewer(server, adam, ben, cookie, token):
    change_person(server, adam, ben, role="viewer")
    assert User.objects.get(pk=ben.pk).role == "viewer"


def revoke(server, adam, ben, cookie, token):
    form = {"action": "revoke", "_selected_action": str(token.pk)}
    assert post(server, adam, "/admin/accounts/apitoken/", **form).status_code == 302
    assert ApiToken.objects.get(pk=token.pk).revoked_at


def sign_out_elsewhere(server, adam, ben, cookie, token):
    """From another browser, which knows of this one because it has shown a page."""
    httpx.get(server.url + "/queue/", cookies={"sessionid": cookie})
    assert post(server, ben, "/account/sign-ins/others/end/").status_code == 302
    assert not Session.objects.filter(session_key=cookie).exists()


def own_new_password(server, adam, ben, cookie, token):
    """In another browser."""
    form = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    assert post(server, ben, "/account/password/", **form).status_code == 302
    assert User.objects.get(pk=ben.pk).password != ben.password


def reset_by_mail(server, adam, ben, cookie, token):
    link = f"{server.url}/password/reset/{user_pk_to_url_str(ben)}-{default_token_generator.make_token(ben)}/"
    with httpx.Client(cookies={"csrftoken": "x" * 32}, headers={"X-CSRFToken": "x" * 32}) as browser:
        form = browser.get(link).headers["Location"]
        answer = browser.post(server.url + form, data={"password1": PASSWORD, "password2": PASSWORD})
    assert answer.status_code == 302
    assert User.objects.get(pk=ben.pk).password != ben.password


def switch_off_among_people(server, adam, ben, cookie, token):
    assert post(server, adam, f"/people/{ben.pk}/deactivate/").status_code == 302
    assert not User.objects.get(pk=ben.pk).is_active


def make_viewer_among_people(server, adam, ben, cookie, token):
    assert post(server, adam, f"/people/{ben.pk}/role/", role="viewer").status_code == 302
    assert User.objects.get(pk=ben.pk).role == "viewer"


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("socket", sign_out_elsewhere, 4401),
        ("socket", own_new_password, 4401),
        ("socket", reset_by_mail, 4401),
        ("socket", switch_off_among_people, 4401),
        ("stream by sign-in", sign_out_elsewhere, 4401),
        ("stream by sign-in", make_viewer_among_people, 4401),
        ("stream by token", sign_out_elsewhere, 0),
        ("stream by token", switch_off_among_people, 4401),
        ("socket", sign_out, 4401),
        ("socket", switch_off, 4401),
        ("socket", new_password, 4401),
        ("socket", make_viewer, 0),  # may look on
        ("socket", revoke, 0),
        ("stream by sign-in", sign_out, 4401),
        ("stream by sign-in", switch_off, 4401),
        ("stream by sign-in", new_password, 4401),
        ("stream by sign-in", make_viewer, 4401),
        ("stream by sign-in", revoke, 0),
        ("stream by token", sign_out, 0),
        ("stream by token", switch_off, 4401),
        ("stream by token", new_password, 0),  # as with the API's other calls
        ("stream by token", make_viewer, 4401),
        ("stream by token", revoke, 4401),
    ],
)
def test_a_change_through_the_product_is_felt_at_once(ordinary, ann, ben, adam, kind, change, code):
    assert expect_the_end(ordinary, change, ann, ben, adam, kind=kind, within=AT_ONCE) == code


def test_a_sign_out_ends_that_sign_in_only(ordinary, ann, ben, adam):
    cookie, other = cookie_of(ben), cookie_of(ben)
    with (
        socket_of(ordinary, cookie) as here,
        socket_of(ordinary, other) as there,
        socket_of(ordinary, cookie_of(ann)) as anns,
    ):
        sign_out(ordinary, adam, ben, cookie, None)
        assert here.ends(AT_ONCE) == 4401
        escalate(ordinary, ann)
        assert there.hears("handoff_created")
        assert anns.hears("handoff_created")


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/admin/logout/", {}),
        ("/admin/password_change/", {"old_password": "demo", "new_password1": PASSWORD, "new_password2": PASSWORD}),
    ],
)
def test_the_admins_own_sign_out_and_new_password_are_felt_too(ordinary, adam, address, form):
    adam.password = PBKDF2PasswordHasher().encode("demo", "salt", iterations=1)  # the server knows no test hasher
    adam.save()
    cookie = cookie_of(adam)
    cookies = {"sessionid": cookie, "csrftoken": "x" * 32}
    headers = {"X-CSRFToken": "x" * 32}
    with socket_of(ordinary, cookie) as socket:
        answer = httpx.post(ordinary.url + address, cookies=cookies, headers=headers, data=form)
        assert "error" not in answer.text
        assert socket.ends(AT_ONCE) == 4401


def test_a_sessions_socket_closes_too(ordinary, ann, ben, adam):
    session = SessionFactory(by=ann, problem="")
    cookie = cookie_of(ben)
    with socket_of(ordinary, cookie, f"/ws/sessions/{session.pk}/") as socket:
        post(ordinary, ann, f"/sessions/{session.pk}/messages/", body="It says 0x8004011d.")
        assert socket.hears("message_posted")
        sign_out(ordinary, adam, ben, cookie, None)
        assert socket.ends(AT_ONCE) == 4401


# Behind its back: within a heartbeat


def row_of(ben: User):
    return User.objects.filter(pk=ben.pk)


def lose_the_sign_in(server, adam, ben, cookie, token):
    assert Session.objects.filter(session_key=cookie).delete()[0] == 1


def let_the_sign_in_expire(server, adam, ben, cookie, token):
    Session.objects.filter(session_key=cookie).update(expire_date=timezone.now() - timedelta(seconds=1))


def switch_off_row(server, adam, ben, cookie, token):
    row_of(ben).update(is_active=False)


def new_password_row(server, adam, ben, cookie, token):
    row_of(ben).update(password="another")


def make_viewer_row(server, adam, ben, cookie, token):
    row_of(ben).update(role="viewer")


def move_row(server, adam, ben, cookie, token):
    row_of(ben).update(account=SessionFactory().account)


def revoke_row(server, adam, ben, cookie, token):
    ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
        ("socket", lose_the_sign_in, 4401),
        ("socket", let_the_sign_in_expire, 4401),
        ("socket", switch_off_row, 4401),
        ("socket", new_password_row, 4401),
        ("socket", move_row, 4403),
        ("socket", make_viewer_row, 0),
        ("stream by sign-in", lose_the_sign_in, 4401),
        ("stream by sign-in", switch_off_row, 4401),
        ("stream by sign-in", new_password_row, 4401),
        ("stream by sign-in", make_viewer_row, 4401),
        ("stream by sign-in", move_row, 4401),
        ("stream by token", switch_off_row, 4401),
        ("stream by token", make_viewer_row, 4401),
        ("stream by token", move_row, 4401),
        ("stream by token", revoke_row, 4401),
        ("stream by token", new_password_row, 0),
    ],
)
def test_a_change_of_the_rows_is_felt_within_a_heartbeat(brisk, ann, ben, adam, kind, change, code):
    assert expect_the_end(brisk, change, ann, ben, adam, kind=kind, within=HEARTBEAT) == code


# All at once


@pytest.mark.django_db
def test_looking_again_takes_three_queries_however_many_are_in(ann, ben, zoe, django_assert_num_queries):
    people = [ann, ben, zoe]
    in_by_sign_in = [Admission.by_sign_in(person, cookie_of(person)) for person in people for _ in range(20)]
    in_by_token = [Admission.by_token(person, ApiToken.issue(person)[1]) for person in people for _ in range(20)]
    with django_assert_num_queries(3):
        standings = look_again(in_by_sign_in + in_by_token)
    assert list(standings.values()) == [Standing.HOLDS] * 120
    User.objects.filter(pk=ben.pk).update(is_active=False)
    out = {each.user_id for each, standing in look_again(list(standings)).items() if standing is not Standing.HOLDS}
    assert out == {ben.pk}


@pytest.mark.django_db
def test_somebody_who_is_gone_altogether_is_out(ann):
    admission = Admission.by_sign_in(ann, cookie_of(ann))
    assert look_again([admission]) == {admission: Standing.HOLDS}
    FeedCounter.objects.all().delete()
    ann.delete()
    assert look_again([admission]) == {admission: Standing.SIGNED_OUT}
