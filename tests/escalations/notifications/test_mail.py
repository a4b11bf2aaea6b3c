"""E-mail through a real mail server on loopback."""

from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from escalations.actions import deliveries
from escalations.models import Delivery
from tests.escalations.notifications.working import add
from tests.factories import HandoffFactory, SessionFactory
from tests.serving import free_port

pytestmark = pytest.mark.django_db(transaction=True)


class Mailbox:
    """`says`: what the server answers to a message."""

    def __init__(self) -> None:
        self.got = []
        self.says = "250 taken"

    async def handle_DATA(self, server, session, envelope):
        if self.says.startswith("250"):
            self.got.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return self.says


@pytest.fixture
def mailbox(settings):
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", controller.port, False
    settings.DEFAULT_FROM_EMAIL = "desk@harbor.example"
    settings.SITES = ["https://desk.example.org"]
    yield mailbox
    controller.stop()


@pytest.fixture
def oncall(olga):
    return add(olga, "oncall@harbor.example", kind="email", name="On call", kinds=["handoff_created"])[0]


def test_a_mailbox_of_the_team_gets_the_case_and_its_link(ann, oncall, mailbox, worker):
    handoff = HandoffFactory(by=ann, priority="high")
    worker.work()
    ((to, message),) = mailbox.got
    assert to == ["oncall@harbor.example"]
    assert message["Subject"].strip() == "Escalation from Ann · #48213: Outlook asks for the password again and again"
    assert message["Message-ID"] == f"<{Delivery.objects.get().pk}@resolutionflow>"
    assert message.get_content().splitlines() == [
        "Client: Brightwater Dental",
        "Priority: High",
        "Reason: Modern auth is on, cached tokens cleared, it still loops.",
        "",
        f"https://desk.example.org/handoffs/{handoff.pk}/",
    ]


def test_people_who_want_it_get_it_once_and_the_escalator_never(ann, ben, olga, mailbox, worker, monkeypatch):
    monkeypatch.setattr(deliveries, "wanting", lambda handoff, way: [ann, ben, olga] if way == "email" else [])
    HandoffFactory(by=ann, picker=ben)
    worker.jobs *= 2
    worker.work()
    assert sorted(to for to, _ in mailbox.got) == [["ben@harbor.example"], ["olga@harbor.example"]]


def test_a_line_break_in_a_title_makes_no_header(ann, oncall, mailbox, worker):
    session = SessionFactory(by=ann, title="It hangs\r\nBcc: everybody@evil.example", ticket_ref="#1\r\nX: y")
    HandoffFactory(by=ann, session=session)
    worker.work()
    ((to, message),) = mailbox.got
    assert to == ["oncall@harbor.example"]
    assert message["Bcc"] is message["X"] is None
    assert "Bcc: everybody" in message["Subject"]


@pytest.mark.parametrize("says", ["451 later", "550 no"])
def test_what_the_server_does_not_take_is_tried_again(ann, oncall, mailbox, worker, clock, says):
    mailbox.says = says
    HandoffFactory(by=ann)
    worker.work()
    assert (Delivery.objects.get().state, mailbox.got) == ("waiting", [])
    assert Delivery.objects.get().error == "The mail server did not take it."
    mailbox.says = "250 taken"
    clock.go(seconds=10)
    worker.work()
    assert len(mailbox.got) == 1


def test_no_letter_goes_to_whoever_escalated(ann, olga, mailbox, worker):
    add(olga, "Ann@harbor.example", kind="email", kinds=["handoff_created"])
    HandoffFactory(by=ann)
    HandoffFactory(by=olga)
    worker.work()
    assert len(mailbox.got) == 1
    assert "from Olga" in mailbox.got[0][1]["Subject"]


def test_without_a_mail_server_that_is_said(ann, oncall, worker, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    HandoffFactory(by=ann)
    worker.work()
    assert Delivery.objects.get().error == "This installation sends no e-mail (EMAIL_HOST)."
