"""E-mail through a real mail server on loopback."""

from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller

from escalations.actions import channels, deliveries, handoffs, sessions
from escalations.actions.refusals import Conflict
from escalations.models import Delivery
from tests.escalations.notifications.working import add
from tests.factories import HandoffFactory, SessionFactory
from tests.interleaving import Writer
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


@pytest.fixture
def wanted_by(monkeypatch):
    """`wanted_by(ben, olga)`: they and nobody else want e-mail."""
    return lambda *people: monkeypatch.setattr(
        deliveries, "wanting", lambda handoff, way: list(people) if way == "email" else []
    )


def log():
    """What became of the mail, in the feed's order."""
    return [(each.get_state_display(), each.error) for each in Delivery.objects.order_by("seq", "created_at")]


PICKED_UP = ("Not needed any more", "Somebody picked it up before this was sent.")
ENDS = {
    "picked up": (lambda handoff, ann, ben: handoffs.pick_up(handoff, by=ben), PICKED_UP[1]),
    "taken back": (
        lambda handoff, ann, ben: handoffs.take_back(handoff, by=ann),
        "It was taken back before this was sent.",
    ),
    "resolved": (
        lambda handoff, ann, ben: sessions.resolve(
            handoffs.pick_up(handoff, by=ben).session, by=ben, resolution="Deleted the cached token."
        ),
        "It was resolved before this was sent.",
    ),
}


def test_people_who_want_it_get_it_once_and_the_escalator_never(ann, ben, olga, mailbox, worker, wanted_by):
    wanted_by(ann, ben, olga)
    HandoffFactory(by=ann)
    worker.jobs *= 2
    worker.work()
    assert sorted(to for to, _ in mailbox.got) == [["ben@harbor.example"], ["olga@harbor.example"]]


@pytest.mark.parametrize("end", ENDS)
def test_nobody_is_called_when_nobody_has_to_come_any_more(ann, ben, olga, oncall, mailbox, worker, wanted_by, end):
    wanted_by(olga)
    waiting, ended = HandoffFactory(by=ann), HandoffFactory(by=ann)
    ends, said = ENDS[end]
    ends(ended, ann, ben)
    worker.work()
    assert sorted(to for to, _ in mailbox.got) == [["olga@harbor.example"], ["oncall@harbor.example"]]
    assert all(str(waiting.pk) in message.get_content() for _, message in mailbox.got)
    assert log() == [("Sent", "")] * 2 + [("Not needed any more", said)] * 2
    worker.jobs = []
    deliveries.pick_up_again()
    assert worker.jobs == [], "nothing of it waits"


def test_what_is_tried_again_is_left_out_as_soon_as_somebody_has_it(ann, ben, oncall, mailbox, worker, clock):
    mailbox.says = "451 later"
    handoff = HandoffFactory(by=ann)
    worker.work()
    assert log() == [("Waiting", "The mail server did not take it.")]
    handoffs.pick_up(handoff, by=ben)
    mailbox.says = "250 taken"
    clock.go(seconds=10)
    HandoffFactory(by=ann)
    worker.work()
    assert log() == [PICKED_UP, ("Sent", "")], "and nothing waits behind it"
    with pytest.raises(Conflict):
        deliveries.replay(Delivery.objects.get(state="needless"))


def test_a_mailbox_that_wants_it_hears_how_it_ended_all_the_same(ann, ben, olga, mailbox, worker):
    add(olga, "desk@harbor.example", kind="email")
    handoff = HandoffFactory(by=ann, picker=ben, released=True)
    handoffs.pick_up(handoff, by=ben)
    sessions.resolve(handoff.session, by=ben, resolution="Deleted the cached token.")
    worker.work()
    assert [message["Subject"].strip().split(" ·")[0] for _, message in mailbox.got] == [
        *("Picked up by Ben", "Picked up by Ben", "Resolved by Ben"),
    ]


def test_a_webhook_and_a_test_by_mail_are_told_whatever_became_of_it(
    ann, ben, hook, oncall, olga, receiver, mailbox, worker
):
    handoff = HandoffFactory(by=ann)
    handoffs.pick_up(handoff, by=ben)
    channels.send_test(oncall, by=olga)
    worker.work()
    assert [each["kind"] for each in receiver.got] == ["handoff_created", "handoff_picked_up"]
    ((_, message),) = mailbox.got
    assert message["Subject"].startswith("Test from ResolutionFlow")


@pytest.mark.parametrize("way_back", ["release", "undo"])
def test_what_was_left_out_is_sent_when_it_waits_again(
    ann, ben, olga, adam, oncall, mailbox, worker, wanted_by, way_back
):
    """A pick-up that was a mistake takes the call from nobody."""
    wanted_by(olga, adam)
    handoff = HandoffFactory(by=ann)
    handoffs.pick_up(handoff, by=ben)
    worker.work()
    assert log() == [PICKED_UP] * 3
    wanted_by(olga)  # adam has gone to bed
    getattr(handoffs, way_back)(handoff, by=ben)
    worker.jobs *= 2
    worker.work()
    assert sorted(to for to, _ in mailbox.got) == [["olga@harbor.example"], ["oncall@harbor.example"]]
    assert sorted(log()) == [PICKED_UP, ("Sent", ""), ("Sent", "")]


def test_a_channel_that_is_off_is_not_called_after_all(ann, ben, olga, oncall, mailbox, worker):
    handoff = HandoffFactory(by=ann, picker=ben)
    worker.work()
    channels.switch(oncall, by=olga, on=False)
    handoffs.release(handoff, by=ben)
    worker.work()
    assert (mailbox.got, log()) == ([], [PICKED_UP])


def test_whichever_comes_first_no_call_is_lost_between_a_release_and_a_sending(ann, ben, oncall, mailbox, worker):
    """The worker leaves it out, and is stopped before each of its statements, while somebody puts it back."""
    handoff = HandoffFactory(by=ann)
    worker.work()
    stopped = []
    for statement in range(1, 10):
        handoffs.pick_up(handoff, by=ben)
        Delivery.objects.update(state="waiting", sent_at=None, error="")
        due = Delivery.objects.for_sending().get()
        leaving_out = Writer(lambda due=due: deliveries.leave_out(due))
        stopped.append(leaving_out.run_until(statement))
        handoffs.release(handoff, by=ben)
        telling = Writer(lambda: deliveries.tell_after_all(handoff.pk))
        telling.go_on()
        leaving_out.finish()
        telling.finish()
        assert (leaving_out.error, telling.error) == (None, None)
        assert Delivery.objects.get().state == "waiting", statement
        if not stopped[-1]:
            break
    assert len(stopped) > 3
    assert not stopped[-1], "first, it was stopped before each"


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
