"""One's own account: where one is signed in, and a new password."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from resolutionflow.accounts import sign_ins
from resolutionflow.accounts.models import SignIn
from resolutionflow.trail.models import Entry
from tests.walled import in_the_walls

pytestmark = pytest.mark.django_db
PASSWORD, NEW = "correct horse", "a longer walk home"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ann(ann):
    ann.set_password(PASSWORD)
    ann.save()
    return ann


def browser_of(user, **more):
    client = Client(**more)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.get("/queue/")
    return client


def is_signed_in(client):
    return client.get("/queue/").status_code == 200


def test_the_list_names_browsers_addresses_and_this_one_first(ann, ben):
    browser_of(ann, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7")
    browser_of(ben, HTTP_USER_AGENT="a\x00b <script>", REMOTE_ADDR="192.0.2.8")
    page = browser_of(ann).get("/account/").text
    assert "Firefox on Windows</b>, 192.0.2.7" in page
    assert page.index("this browser") < page.index("192.0.2.7")
    assert "192.0.2.8" not in page


def test_one_is_signed_out_elsewhere_and_the_others_stay(ann):
    here, there, third = browser_of(ann), browser_of(ann, REMOTE_ADDR="192.0.2.7"), browser_of(ann)
    action = re.search(
        r'action="(/account/sign-ins/\w+/end/)">(?:(?!</form>).)*192\.0\.2\.7', here.get("/account/").text
    )
    assert here.post(action[1])["Location"] == "/account/?said=ended"
    assert [is_signed_in(each) for each in (here, there, third)] == [True, False, True]
    assert here.post(action[1]).status_code == 404


def test_everywhere_else_is_one_press(ann, ben):
    here, there, third, bens = browser_of(ann), browser_of(ann), browser_of(ann), browser_of(ben)
    here.post("/account/sign-ins/others/end/")
    assert [is_signed_in(each) for each in (here, there, third, bens)] == [True, False, False, True]


def test_nobody_ends_another_persons_sign_in(ann, ben):
    here, bens = browser_of(ann), browser_of(ben)
    (seen,) = sign_ins.list_of(ben, this=None)
    assert here.post(f"/account/sign-ins/{seen.id}/end/").status_code == 404
    assert is_signed_in(bens)
    assert bens.post(f"/account/sign-ins/{seen.id}/end/").status_code == 302
    assert not is_signed_in(bens)


def test_what_has_ended_is_not_listed(ann):
    here, there = browser_of(ann), browser_of(ann)
    assert len(sign_ins.list_of(ann, this=None)) == 2
    there.post("/logout/")
    assert [each.is_this for each in sign_ins.list_of(ann, this=here.session.session_key)] == [True]


def test_what_an_old_password_opened_is_not_listed(ann):
    browser_of(ann)
    ann.set_password(NEW)
    ann.save()
    here = browser_of(ann)
    assert [each.is_this for each in sign_ins.list_of(ann, this=here.session.session_key)] == [True]


def test_being_seen_costs_one_write_in_five_minutes(ann):
    client = browser_of(ann)
    key = client.session.session_key
    SignIn.objects.filter(session_key=key).update(browser="as it was")
    client.get("/queue/")
    assert SignIn.objects.get(session_key=key).browser == "as it was"
    sign_ins._noted[key] -= sign_ins.NOTED_EVERY
    client.get("/queue/")
    assert SignIn.objects.get(session_key=key).browser == "Unknown browser"


def test_the_operator_is_seen_on_any_page_within_the_walls_too(as_user, sam):
    client = as_user(sam)
    with in_the_walls():
        assert client.get("/queue/")["Location"] == "/admin/"
        assert "this browser" in client.get("/account/").text


def test_a_new_password_keeps_this_browser_and_ends_the_others(ann):
    here, there = browser_of(ann), browser_of(ann)
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert here.post("/account/password/", form)["Location"] == "/account/?said=password"
    assert [is_signed_in(each) for each in (here, there)] == [True, False]
    assert Session.objects.count() == 1
    ann.refresh_from_db()
    assert ann.check_password(NEW)


@pytest.mark.parametrize(
    "change", [{"old_password": "wrong"}, {"new_password2": "other"}, {"new_password1": "x", "new_password2": "x"}]
)
def test_a_password_that_does_not_do_is_refused_in_words(ann, change):
    form = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW} | change
    answer = browser_of(ann).post("/account/password/", form)
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_strangers_are_sent_to_the_login(client):
    for page in ("/account/", "/account/password/", "/account/app/", "/account/keys/add/", "/account/codes/"):
        assert client.get(page)["Location"].startswith("/login/")
    assert client.get("/account/sign-ins/others/end/").status_code in {302, 405}


# One's name


def test_one_changes_ones_own_name_and_the_trail_says_so(ann, ben):
    answer = browser_of(ann).post("/account/name/", {"name": "  Ann   Abelard "})
    assert answer["Location"] == "/account/?said=name"
    ann.refresh_from_db()
    ben.refresh_from_db()
    assert (ann.name, ben.name) == ("Ann Abelard", "Ben Bauer")
    entry = Entry.objects.get(kind="person_changed")
    assert (entry.about, entry.details) == (f"person {ann.pk}", {"fields": "name"})


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
def test_a_name_that_is_none_is_refused_in_words(ann, name):
    answer = browser_of(ann).post("/account/name/", {"name": name})
    assert answer.status_code == 422
    assert "Your name: " in answer.text
    assert "Ann Abel, ann@harbor.example" in answer.text
    ann.refresh_from_db()
    assert ann.name == "Ann Abel"
