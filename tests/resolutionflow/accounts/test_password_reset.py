"""A forgotten password: a letter with a link, the same answer whoever asks, an honest page without a mail server."""

import re

import pytest
from aiosmtpd.controller import Controller
from django.core import mail
from django.core.cache import cache
from procrastinate.contrib.django.models import ProcrastinateJob

from resolutionflow.accounts.models import User
from resolutionflow.accounts.tasks import send_letter
from tests.serving import free_port

pytestmark = pytest.mark.django_db
NEW = "a longer walk home"


def ask(client, email):
    return client.post("/password/reset/", {"email": email})


def letters():
    """What the worker would send now."""
    for job in ProcrastinateJob.objects.filter(task_name="accounts.send_letter").order_by("id"):
        send_letter(**job.args)
    return mail.outbox


def link_for(client, user):
    ask(client, user.email)
    return re.search(r"http://testserver(/password/reset/\S+)", letters()[-1].body)[1]


def test_the_link_sets_a_new_password_once_and_ends_every_sign_in(client, as_user, ann):
    elsewhere = as_user(ann)
    assert elsewhere.get("/queue/").status_code == 200
    link = link_for(client, ann)
    form = client.get(link)["Location"]
    assert client.post(form, {"password1": NEW, "password2": NEW})["Location"] == "/password/reset/done/"
    assert User.objects.get(pk=ann.pk).check_password(NEW)
    assert elsewhere.get("/queue/").status_code == 302
    assert "This link is over" in client.get(link).text
    assert client.post("/login/", {"username": ann.email, "password": NEW})["Location"] == "/queue/"


@pytest.mark.parametrize("email", ["ann@harbor.example", "nobody@harbor.example", "gone@harbor.example"])
def test_the_answer_is_the_same_whoever_it_is(client, ann, ben, email):
    User.objects.filter(pk=ben.pk).update(email="gone@harbor.example", is_active=False)
    answer = ask(client, email)
    assert (answer.status_code, answer["Location"]) == (302, "/password/reset/sent/")
    assert [letter.to for letter in letters()] == ([[email]] if email == ann.email else [])


def test_what_waits_for_the_worker_shows_no_link(client, ann):
    ask(client, ann.email)
    assert "password/reset" not in str(ProcrastinateJob.objects.get(task_name="accounts.send_letter").args)


@pytest.mark.parametrize(("one", "two"), [("short", "short"), (NEW, "another"), ("ann@harbor.example",) * 2, ("", "")])
def test_a_password_that_is_none_is_refused_in_words(client, ann, one, two):
    form = client.get(link_for(client, ann))["Location"]
    assert 'class="error"' in client.post(form, {"password1": one, "password2": two}).text
    assert User.objects.get(pk=ann.pk).password == ann.password


@pytest.mark.parametrize("link", ["a-b", "0-set-password", "zzzzzzzzzzzzzzzzzzzzzzzzzzzz-abc-def", "%00-x", "ä-ö"])
def test_a_link_that_nobody_sent_is_over(client, link):
    assert client.get(f"/password/reset/{link}/").status_code in {200, 404}


@pytest.mark.parametrize("email", ["", "x", "a\x00b@harbor.example", "x" * 5000, "İ@harbor.example"])
def test_garbage_is_no_address(client, email):
    client.raise_request_exception = False
    assert ask(client, email).status_code in {200, 302}
    assert letters() == []


def test_one_address_is_written_to_five_times_at_most(client, ann):
    assert [ask(client, ann.email).status_code for _ in range(6)] == [302] * 5 + [429]
    assert ask(client, "ANN@harbor.example").status_code == 429
    cache.clear()
    assert ask(client, ann.email).status_code == 302


def test_without_a_mail_server_the_page_says_so(client, settings):
    assert "Send the link" in client.get("/password/reset/").text
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    page = client.get("/password/reset/").text
    assert "This installation sends no e-mail." in page
    assert "Send the link" not in page


class Post:
    """A mail server's side of it."""

    def __init__(self):
        self.letters = []

    async def handle_DATA(self, server, session, envelope):
        self.letters.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


def test_the_letter_reaches_a_mail_server(client, ann, settings):
    post = Post()
    controller = Controller(post, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", controller.port, False
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    ask(client, ann.email)
    letters()
    controller.stop()
    ((to, text),) = post.letters
    assert to == [ann.email]
    assert "/password/reset/" in text
