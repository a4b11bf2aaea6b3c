"""Signing in and out, and what stands in the way of guessing."""

import pytest
from django.test import Client

from resolutionflow.accounts.models import User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse"


@pytest.fixture
def ann(ann):
    ann.set_password(PASSWORD)
    ann.save()
    return ann


@pytest.fixture
def ben(ben):
    ben.set_password(PASSWORD)
    ben.save()
    return ben


def sign_in(client, email, password=PASSWORD, **more):
    return client.post("/login/", {"username": email, "password": password} | more)


def is_signed_in(client):
    return client.get("/queue/").status_code == 200


@pytest.mark.parametrize("email", ["ann@harbor.example", "ANN@Harbor.Example", "  ann@harbor.example "])
def test_signing_in_leads_to_the_queue(email, client, ann):
    answer = sign_in(client, email)
    assert (answer.status_code, answer["Location"]) == (302, "/queue/")
    assert is_signed_in(client)


@pytest.mark.parametrize(
    ("email", "password"),
    [("ann@harbor.example", "wrong"), ("nobody@harbor.example", PASSWORD), ("ann@harbor.example", PASSWORD.upper())],
)
def test_a_wrong_pair_says_the_same_whoever_it_is(email, password, client, ann):
    answer = sign_in(client, email, password)
    assert answer.status_code == 200
    assert "E-mail address and password do not go together." in answer.content.decode()
    assert f'value="{email}"' in answer.content.decode()
    assert password not in answer.content.decode()
    assert not is_signed_in(client)


def test_who_left_cannot_sign_in(client, ann):
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert "do not go together" in sign_in(client, ann.email).content.decode()


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"username": "", "password": ""},
        {"username": "ann@harbor.example"},
        {"username": "a\x00b", "password": "x"},
        {"username": "ann@harbor.example", "password": "a\x00b"},
        {"username": "x" * 5000, "password": "x"},
        {"username": "ann@harbor.example", "password": "x" * 100_000},
        {"username": "’ OR 1=1", "password": "💥"},
        {"username": "İ@harbor.example", "password": "x"},
        {"username": "İ" * 254, "password": "x"},  # longer in lower case
    ],
)
def test_garbage_signs_nobody_in(told, client, ann):
    client.raise_request_exception = False
    answer = client.post("/login/", told)
    assert answer.status_code == 200
    assert 'class="error"' in answer.content.decode() or "do not go together" in answer.content.decode()
    assert not is_signed_in(client)


# Where it leads


def test_signing_in_leads_to_where_one_wanted(client, ann):
    page = client.get("/login/?next=/sessions/%3Fstate%3Dactive").content.decode()
    assert 'name="next" value="/sessions/?state=active"' in page
    assert sign_in(client, ann.email, next="/sessions/?state=active")["Location"] == "/sessions/?state=active"


@pytest.mark.parametrize(
    "next_page",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:///evil", "\x00", ""],
)
def test_signing_in_never_leads_to_another_site(next_page, client, ann):
    assert sign_in(client, ann.email, next=next_page)["Location"] == "/queue/"
    assert "evil" not in Client().get("/login/", {"next": next_page}).content.decode()


def test_who_is_signed_in_has_no_business_at_the_login(as_user, ann):
    assert as_user(ann).get("/login/")["Location"] == "/queue/"


# Signing out


def test_signing_out_is_a_post(as_user, ann):
    browser = as_user(ann)
    assert browser.get("/logout/").status_code == 405
    assert is_signed_in(browser)
    assert browser.post("/logout/")["Location"] == "/login/"
    assert not is_signed_in(browser)


def test_signing_out_twice_does_no_harm(client):
    assert client.post("/logout/").status_code == 302


def test_a_new_password_signs_out_the_other_browsers(client, ann):
    sign_in(client, ann.email)
    assert is_signed_in(client)
    ann.set_password("another horse")
    ann.save()
    assert not is_signed_in(client)


# Guessing


def guess(client, email, times=10):
    return [sign_in(client, email, f"guess {number}").status_code for number in range(times)]


def test_after_ten_failures_there_is_a_pause_even_for_the_right_password(client, ann):
    assert guess(client, ann.email) == [200] * 9 + [429]
    answer = sign_in(client, ann.email)
    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()
    assert not is_signed_in(client)


def test_others_still_get_in(client, ann, ben):
    guess(client, ann.email)
    assert sign_in(client, ben.email, "mistyped").status_code == 200
    assert sign_in(client, ben.email)["Location"] == "/queue/"


def test_the_person_still_gets_in_from_elsewhere(client, ann):
    """A stranger who guesses cannot lock a colleague out."""
    guess(client, ann.email)
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7"), ann.email)["Location"] == "/queue/"


def test_writing_the_address_in_another_way_gives_no_more_guesses(client, ann):
    spellings = [
        "ann@harbor.example",
        "Ann@harbor.example",
        "aNn@harbor.example",
        "ANN@HARBOR.EXAMPLE",
        " ann@harbor.example",
    ]
    statuses = [sign_in(client, spelling, f"guess {n}").status_code for n in range(2) for spelling in spellings]
    assert statuses[-1] == 429
    assert sign_in(client, "ANN@harbor.example").status_code == 429


def test_a_success_starts_the_count_anew(client, ann):
    guess(client, ann.email, times=9)
    assert sign_in(client, ann.email).status_code == 302
    client.post("/logout/")
    assert guess(client, ann.email, times=9) == [200] * 9


# Demonstrations


def test_the_login_lists_people_only_in_a_demonstration(client, ann, settings):
    assert "ann@harbor.example" not in client.get("/login/").content.decode()
    settings.DEMO = True
    page = client.get("/login/").content.decode()
    assert "Harbor IT" in page
    assert "ann@harbor.example" in page
