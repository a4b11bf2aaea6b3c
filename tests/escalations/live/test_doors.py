"""Sockets and streams follow the account: whoever signed out, was switched off or moved hears nothing any more.

Every test first shows that the connection is alive, and at the end that what happens afterwards does not arrive.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from escalations.models import FeedCounter
from resolutionflow.accounts.admission import Admission, Standing, look_again
from resolutionflow.accounts.models import ApiToken, User
from tests.factories import SessionFactory
from tests.serving import Server, cookie_of, post, wait_until_idle
from tests.streams import Stream

AT_ONCE = 2.0  # seconds, in the process where it happens; a heartbeat there takes 15
HEARTBEAT = 1.0  # seconds, of the server behind whose back it happens
PASSWORD = "a long walk home"


@pytest.fixture
def brisk_server(brisk_process, transactional_db):
    brisk_process.wait_until_ready()
    yield brisk_process
    wait_until_idle()


@pytest.fixture(scope="module")
def brisk_process(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        server = Server(LIVE_HEARTBEAT_SECONDS=str(HEARTBEAT)).start()
    yield server
    server.stop()


class Socket:
    """The queue's socket, or a session's."""

    def __init__(self, server: Server, cookie: str, path: str = "/ws/queue/") -> None:
        self.socket = connect(server.ws_url + path, additional_headers={"Cookie": f"sessionid={cookie}"})
        assert json.loads(self.socket.recv(timeout=10))["type"] == "ready"

    def hears(self, kind: str) -> bool:
        while (frame := json.loads(self.socket.recv(timeout=10)))["type"] == "heartbeat":
            pass
        return frame["type"] == kind

    def ends(self, within: float) -> int:
        """The close code; only heartbeats may come before it."""
        until = time.monotonic() + within
        try:
            while time.monotonic() < until:
                assert json.loads(self.socket.recv(timeout=until - time.monotonic()))["type"] == "heartbeat"
        except ConnectionClosed as closed:
            return closed.rcvd.code
        except TimeoutError:
            pass
        return 0

    def close(self) -> None:
        self.socket.close()


class Program(Stream):
    """A stream that has begun."""

    def __init__(self, server: Server, **by: str) -> None:
        super().__init__(server, **by)
        assert self.event()["event"] == "ready"

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
    opened = {
        "socket": lambda: Socket(server, cookie),
        "stream by sign-in": lambda: Program(server, cookie=cookie),
        "stream by token": lambda: Program(server, token=plain),
    }[kind]()
    escalate(server, ann)
    assert opened.hears("handoff_created")
    assert opened.hears("handoff_assessed")
    change(server, adam, ben, cookie, token)
    code = opened.ends(within)
    if code:
        escalate(server, ann)
        with pytest.raises(Exception, match=r"^$|received 4|sent 4"):
            opened.hears("anything")
    opened.close()
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


@pytest.mark.parametrize(
    ("kind", "change", "code"),
    [
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
def test_a_change_through_the_product_is_felt_at_once(server, ann, ben, adam, kind, change, code):
    assert expect_the_end(server, change, ann, ben, adam, kind=kind, within=AT_ONCE) == code


def test_a_sign_out_ends_that_sign_in_only(server, ann, ben, adam):
    cookie, other = cookie_of(ben), cookie_of(ben)
    here, there, anns = Socket(server, cookie), Socket(server, other), Socket(server, cookie_of(ann))
    sign_out(server, adam, ben, cookie, None)
    assert here.ends(AT_ONCE) == 4401
    escalate(server, ann)
    assert there.hears("handoff_created")
    assert anns.hears("handoff_created")
    there.close(), anns.close()


@pytest.mark.parametrize(
    ("address", "form"),
    [
        ("/admin/logout/", {}),
        ("/admin/password_change/", {"old_password": "demo", "new_password1": PASSWORD, "new_password2": PASSWORD}),
    ],
)
def test_the_admins_own_sign_out_and_new_password_are_felt_too(server, adam, address, form):
    adam.set_password("demo")
    adam.save()
    cookie = cookie_of(adam)
    socket = Socket(server, cookie)
    cookies = {"sessionid": cookie, "csrftoken": "x" * 32}
    headers = {"X-CSRFToken": "x" * 32}
    answer = httpx.post(server.url + address, cookies=cookies, headers=headers, data=form)
    assert answer.status_code in {200, 302}
    assert socket.ends(AT_ONCE) == 4401


def test_a_sessions_socket_closes_too(server, ann, ben, adam):
    session = SessionFactory(by=ann, problem="")
    cookie = cookie_of(ben)
    socket = Socket(server, cookie, f"/ws/sessions/{session.pk}/")
    post(server, ann, f"/sessions/{session.pk}/messages/", body="It says 0x8004011d.")
    assert socket.hears("message_posted")
    assert socket.hears("message_posted")
    sign_out(server, adam, ben, cookie, None)
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
def test_a_change_of_the_rows_is_felt_within_a_heartbeat(brisk_server, ann, ben, adam, kind, change, code):
    assert expect_the_end(brisk_server, change, ann, ben, adam, kind=kind, within=HEARTBEAT) == code


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
