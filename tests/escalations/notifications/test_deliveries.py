"""Who is told what, once, and what becomes of what does not get there."""

import json
from datetime import timedelta

import pytest

from escalations.actions import channels, deliveries, handoffs, sessions
from escalations.actions.refusals import Conflict
from escalations.models import Delivery
from escalations.notifications import letters, tasks
from tests.escalations.notifications.working import add, edit
from tests.factories import HandoffFactory, SessionFactory, UserFactory
from tests.receiver import is_genuine

pytestmark = pytest.mark.django_db(transaction=True)


def kinds(receiver):
    return [each["kind"] for each in receiver.got]


def states():
    return list(Delivery.objects.order_by("seq", "created_at").values_list("state", flat=True))


def test_a_webhook_hears_the_whole_life_of_a_handoff(ann, ben, hook, receiver, worker, settings):
    settings.SITES = ["https://desk.example.org"]
    handoff = HandoffFactory(by=ann, picker=ben, released=True)
    handoffs.pick_up(handoff, by=ben)
    sessions.resolve(handoff.session, by=ben, resolution="Deleted the cached token.")
    handoffs.take_back(HandoffFactory(by=ann), by=ann)
    worker.work()
    assert kinds(receiver) == [
        *("handoff_created", "handoff_picked_up", "handoff_released", "handoff_picked_up", "handoff_resolved"),
        *("handoff_created", "handoff_taken_back"),
    ]
    told = receiver.got[0]
    assert told["title"] == "Escalation from Ann · #48213: Outlook asks for the password again and again"
    assert told["account"] == {"id": str(ann.account_id), "name": "Harbor IT"}
    assert told["url"] == f"https://desk.example.org/handoffs/{handoff.pk}/"
    assert told["handoff"]["id"] == str(handoff.pk)
    assert told["handoff"]["from"] == {"id": str(ann.pk), "name": "Ann Abel"}
    assert [each["cursor"] for each in receiver.got] == sorted(each["cursor"] for each in receiver.got)


def test_nothing_that_was_hidden_gets_out(ann, hook, receiver, worker):
    session = SessionFactory(by=ann, problem="password: Hunter2-secret!")
    HandoffFactory(by=ann, session=session)
    worker.work()
    ((_, body),) = receiver.raw
    assert b"[hidden password 1]" in body, "first, there was something to hide"
    assert b"Hunter2" not in body


def test_a_channel_gets_what_it_wants_and_nobody_elses(ann, zoe, olga, hook, receiver, worker):
    urgent, _ = add(olga, receiver.url, name="Urgent", kinds=["handoff_created"], priorities=["urgent"])
    handoffs.take_back(HandoffFactory(by=ann), by=ann)
    HandoffFactory(by=ann, priority="urgent")
    HandoffFactory(by=zoe, priority="urgent")
    worker.work()
    assert Delivery.objects.filter(channel=urgent).count() == 1
    assert len(receiver.got) == 4
    assert {each["account"]["name"] for each in receiver.got} == {"Harbor IT"}


def test_what_was_before_a_channel_is_not_told(ann, olga, receiver, worker, settings):
    settings.NOTIFY_PRIVATE_NETWORKS = True
    HandoffFactory(by=ann)
    add(olga, receiver.url)
    HandoffFactory(by=ann)
    worker.work()
    assert len(receiver.got) == 1


def test_a_note_goes_to_tickets_alone_and_says_what_fixed_it(ann, ben, olga, receiver, worker, settings):
    settings.NOTIFY_PRIVATE_NETWORKS = True
    told = ["handoff_created", "handoff_picked_up", "handoff_resolved"]
    add(olga, receiver.url, kind="ticket", kinds=told)
    HandoffFactory(by=ann, session=SessionFactory(by=ann, ticket_ref=""))
    HandoffFactory(by=ann, picker=ben, resolved=True)
    worker.work()
    assert [each["note"] for each in receiver.got] == [
        "Ann escalated: Modern auth is on, cached tokens cleared, it still loops.",
        "Ben picked it up.",
        "Ben resolved it. What fixed it: Deleted the cached token.",
    ]
    assert {each["ticket_ref"] for each in receiver.got} == {"#48213"}
    assert not any("handoff" in each for each in receiver.got)


def test_jobs_that_run_twice_tell_once(ann, hook, receiver, worker):
    HandoffFactory(by=ann)
    twice = [*worker.jobs, *worker.jobs]
    worker.jobs = list(twice)
    worker.work()
    worker.jobs = list(twice)
    worker.work()
    assert len(receiver.got) == len(states()) == 1


@pytest.mark.parametrize("dies_after", ["it was noted who is told", "it was sent"])
def test_a_worker_that_is_killed_loses_nothing(ann, hook, receiver, worker, clock, monkeypatch, dies_after):
    """What was sent already comes again with the same id, by which receivers tell."""
    HandoffFactory(by=ann)
    place, name = (deliveries, "note") if dies_after == "it was sent" else (letters, "letter_of")

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as killing:
        killing.setattr(place if name == "note" else tasks, name, die)
        killing.setattr(deliveries, "free", lambda channel_id: None)  # it is dead
        with pytest.raises(KeyboardInterrupt):
            worker.work()
    assert states() == ["waiting"]
    worker.work()
    assert states() == ["waiting"], "it might live, so nobody else sends yet"
    clock.go(minutes=3)
    deliveries.pick_up_again()
    worker.work()
    HandoffFactory(by=ann)
    worker.work()
    assert states() == ["sent", "sent"]
    assert len({each["id"] for each in receiver.got}) == 2
    assert len(receiver.got) == (3 if dies_after == "it was sent" else 2)


def test_of_several_workers_one_sends(ann, hook, receiver, worker):
    HandoffFactory(by=ann)
    assert deliveries.claim(hook[0].pk)
    worker.work()
    assert receiver.got == []
    deliveries.free(hook[0].pk)
    deliveries.later(hook[0].pk, after=timedelta())
    worker.work()
    assert len(receiver.got) == 1
    assert deliveries.claim(hook[0].pk), "it was given back"


def test_a_channel_whose_job_is_lost_is_picked_up_again(ann, hook, receiver, worker, clock):
    HandoffFactory(by=ann)
    deliveries.fan_out(ann.account_id)
    worker.jobs.clear()
    worker.work()
    assert receiver.got == []
    deliveries.pick_up_again()
    assert worker.jobs == [], "first, it might be on its way"
    clock.go(minutes=5)
    deliveries.pick_up_again()
    worker.work()
    assert len(receiver.got) == 1


def test_what_fails_for_a_day_is_given_up_and_the_next_goes(ann, hook, receiver, worker, clock):
    receiver.status = 500
    HandoffFactory(by=ann)
    worker.work()
    clock.go(hours=2)
    HandoffFactory(by=ann)
    for _ in range(23):
        clock.go(hours=1)
        worker.work()
    assert states() == ["dead", "waiting"]
    dead, waiting = Delivery.objects.order_by("seq")
    assert dead.error == "It answered 500."
    assert waiting.next_try_at <= clock.now + timedelta(hours=1)
    receiver.status = 200
    clock.go(hours=1)
    worker.work()
    assert states() == ["dead", "sent"]
    deliveries.replay(dead)
    worker.work()
    assert states() == ["sent", "sent"]
    with pytest.raises(Conflict):
        deliveries.replay(dead)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 503])
def test_only_2xx_counts(ann, hook, receiver, worker, status):
    receiver.status = status
    receiver.headers = {"Location": receiver.url}
    HandoffFactory(by=ann)
    worker.work()
    assert states() == ["waiting"]
    assert str(status) in Delivery.objects.get().error


def test_switched_off_nothing_goes_and_on_again_only_what_comes(ann, olga, hook, receiver, worker):
    channel, _ = hook
    receiver.down = True
    HandoffFactory(by=ann)
    worker.work()
    channels.switch(channel, by=olga, on=False)
    receiver.down = False
    HandoffFactory(by=ann)
    worker.work()
    assert states() == ["dead"]
    channels.switch(channel, by=olga, on=True)
    last = HandoffFactory(by=ann)
    worker.jobs = [job for job in worker.jobs if job.due <= worker.clock.now]
    worker.work()
    assert [each["handoff"]["id"] for each in receiver.got] == [str(last.pk)]


def test_what_waits_keeps_its_id_and_goes_to_a_new_address_at_once(ann, olga, hook, receiver, elsewhere, worker, clock):
    channel, _ = hook
    receiver.down = True
    HandoffFactory(by=ann)
    HandoffFactory(by=ann)
    worker.work()
    for _ in range(9):
        clock.go(hours=1)
        worker.work()
    ids = [str(pk) for pk in Delivery.objects.order_by("seq").values_list("pk", flat=True)]
    assert Delivery.objects.order_by("seq")[0].next_try_at > clock.now, "first, it would wait"
    receiver.down = False
    edit(channel, by=olga, target=elsewhere.url)
    worker.work()
    assert [each["id"] for each in elsewhere.got] == ids
    assert receiver.got == []
    assert states() == ["sent", "sent"]


def test_a_new_address_that_does_not_answer_is_tried_again_after_short_pauses(
    ann, olga, hook, receiver, elsewhere, worker, clock
):
    channel, _ = hook
    receiver.down = elsewhere.down = True
    HandoffFactory(by=ann)
    worker.work()
    for _ in range(9):
        clock.go(hours=1)
        worker.work()
    give_up_at = Delivery.objects.get().give_up_at
    edit(channel, by=olga, target=elsewhere.url)
    assert (Delivery.objects.get().attempts, Delivery.objects.get().error) == (0, "")
    worker.work()
    assert Delivery.objects.get().next_try_at == clock.now + timedelta(seconds=10)
    assert Delivery.objects.get().give_up_at == give_up_at, "a day is a day"


def test_a_try_that_was_under_way_to_the_old_address_holds_the_new_one_up_for_a_moment_only(
    ann, olga, hook, receiver, elsewhere, worker, clock
):
    channel, _ = hook
    receiver.down = True
    HandoffFactory(by=ann)
    worker.work()
    for _ in range(9):
        clock.go(hours=1)
        worker.work()
    clock.go(hours=1)
    under_way = deliveries.next_of(channel.pk)
    assert under_way.attempts == 10, "first, its pause would be an hour"
    edit(channel, by=olga, target=elsewhere.url)
    deliveries.note(under_way, error="It does not answer.")
    clock.go(seconds=10)
    worker.work()
    assert len(elsewhere.got) == 1


def test_other_events_and_a_new_name_leave_what_waits_alone(ann, olga, hook, receiver, worker, clock):
    channel, _ = hook
    receiver.down = True
    HandoffFactory(by=ann)
    worker.work()
    waits = Delivery.objects.values().get()
    assert waits["attempts"] == 1
    edit(channel, by=olga, name="Our desk", kinds=["handoff_resolved"])
    assert Delivery.objects.values().get() == waits
    receiver.down = False
    handoffs.take_back(HandoffFactory(by=ann), by=ann)
    clock.go(seconds=10)
    worker.work()
    assert kinds(receiver) == ["handoff_created"], "what was to be told then, and nothing that is wanted no more"


def test_from_a_new_secret_on_the_old_one_signs_nothing(ann, olga, hook, receiver, worker, clock):
    channel, old = hook
    receiver.down = True
    HandoffFactory(by=ann)
    worker.work()
    new = channels.renew_secret(channel, by=olga)
    receiver.down = False
    clock.go(seconds=10)
    worker.work()
    HandoffFactory(by=ann)
    worker.work()
    assert len(receiver.raw) == 2
    for headers, body in receiver.raw:
        signed_with = [secret for secret in (old, new) if is_genuine(secret, headers, body, now=clock.time())]
        assert signed_with == [new]


def test_a_test_passes_what_waits_and_is_tried_once(ann, olga, hook, receiver, worker, clock):
    channel, _ = hook
    receiver.down = True
    HandoffFactory(by=ann)
    worker.work()
    channels.send_test(channel, by=olga)
    with pytest.raises(Conflict):
        channels.send_test(channel, by=olga)
    worker.work()
    assert Delivery.objects.get(kind="test").state == "dead"
    receiver.down = False
    channels.send_test(channel, by=olga)
    worker.work()
    assert kinds(receiver) == ["test"]
    assert states()[-1] != "dead"


def test_a_channel_that_is_removed_takes_its_log_along(ann, olga, hook, receiver, worker):
    channel, _ = hook
    HandoffFactory(by=ann)
    worker.work()
    channels.remove(channel, by=olga)
    HandoffFactory(by=ann)
    worker.work()
    assert len(receiver.got) == 1
    assert not Delivery.objects.exists()


def test_what_is_sealed_with_another_key_says_so(ann, hook, receiver, worker, settings):
    HandoffFactory(by=ann)
    settings.SECRET_KEY = "another one"
    worker.work()
    assert "another SECRET_KEY" in Delivery.objects.get().error
    assert receiver.got == []


def test_what_is_sealed_with_a_lost_key_is_sealed_anew_by_editing(ann, olga, hook, receiver, worker, clock, settings):
    channel, _ = hook
    settings.SECRET_KEY = "another one"
    HandoffFactory(by=ann)
    worker.work()
    assert "another SECRET_KEY" in Delivery.objects.get().error, "first, it does not open"
    edit(channel, by=olga, target=receiver.url)
    channels.renew_secret(channel, by=olga)
    clock.go(seconds=10)
    worker.work()
    assert states() == ["sent"]


def test_where_too_much_hangs_the_rest_waits_outside(ann, hook, receiver, worker, clock, monkeypatch):
    """So that hanging receivers never take all that the worker can do at once."""
    monkeypatch.setattr(tasks, "_under_way", set(map(str, range(tasks.AT_ONCE))))
    HandoffFactory(by=ann)
    worker.work()
    assert receiver.got == []
    tasks._under_way.clear()
    clock.go(seconds=2)
    worker.work()
    assert len(receiver.got) == 1


def test_what_is_over_is_forgotten_after_90_days(ann, hook, receiver, worker, clock):
    HandoffFactory(by=ann)
    worker.work()
    receiver.down = True
    HandoffFactory(by=ann)
    worker.work()
    clock.go(days=89)
    deliveries.forget_old()
    assert states() == ["sent", "waiting"]
    clock.go(days=2)
    deliveries.forget_old()
    assert states() == ["waiting"]


def test_the_pauses_grow_to_an_hour():
    seconds = [deliveries.pause_after(attempts).total_seconds() for attempts in range(1, 11)]
    assert seconds == [10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 3600]


def test_a_rollback_tells_nobody(ann, hook, receiver, worker, monkeypatch):
    """The job is written in the transaction of what it tells of."""
    from django.db import transaction
    from procrastinate.contrib.django.models import ProcrastinateJob

    from escalations.actions import jobs

    monkeypatch.undo()
    told = ProcrastinateJob.objects.filter(task_name=jobs.TELL)
    with transaction.atomic():
        HandoffFactory(by=ann)
        assert told.count() == 1, "first, there is one"
        transaction.set_rollback(True)
    assert told.count() == 0


def test_the_target_and_the_secret_are_kept_sealed(olga, hook, receiver):
    channel, secret = hook
    kept = json.dumps({name: str(value) for name, value in vars(channel).items()})
    assert receiver.url not in kept
    assert secret not in kept
    assert channel.hint == "127.0.0.1\N{NO-BREAK SPACE}…o=us"


def test_there_is_an_end_to_them(olga, hook):
    for _ in range(19):
        add(olga, "https://example.org/")
    with pytest.raises(Conflict, match="20 channels"):
        add(olga, "https://example.org/")
    assert add(UserFactory(role="owner"), "https://example.org/")
