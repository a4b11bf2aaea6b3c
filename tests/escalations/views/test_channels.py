"""The page of channels: who gets there, what it takes, what it shows."""

import pytest

from escalations.actions import channels
from escalations.models import Channel, Delivery
from escalations.models.channel import TOLD, all_priorities
from escalations.notifications.sealed import unseal
from resolutionflow.trail.models import Entry
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

PAGE = "/settings/channels/"
HOOK = "https://hooks.harbor.example/escalations?key=Zy9xWv8u"
FORM = {"name": "Our desk", "target": HOOK, "kinds": list(TOLD), "priorities": ["high", "urgent"]}
SLACK = "https://hooks.slack.com/services/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"


@pytest.fixture(autouse=True)
def on_the_internet(settings):
    settings.NOTIFY_PRIVATE_NETWORKS = False


@pytest.fixture
def hook(olga):
    return channels.add(by=olga, kind="webhook", name="Hook", target=HOOK, kinds=TOLD, priorities=all_priorities())[0]


def add(client, kind="webhook", **change):
    return client.post(f"{PAGE}add/{kind}/", FORM | change)


def trail():
    told = Entry.objects.filter(kind="settings_changed").order_by("seq")
    return [entry.details["done"] for entry in told]


def test_an_owner_adds_a_webhook_and_sees_its_secret_once(as_user, olga):
    browser = as_user(olga)
    answer = add(browser)
    assert answer.status_code == 200
    kept = Channel.objects.get()
    secret = unseal(kept.sealed_secret)
    assert f'value="{secret}"' in answer.text
    assert (kept.name, kept.kinds, kept.priorities) == ("Our desk", list(TOLD), ["high", "urgent"])
    assert unseal(kept.sealed_target) == HOOK
    page = browser.get(PAGE).text
    assert "hooks.harbor.example\N{NO-BREAK SPACE}…Wv8u" in page
    for hidden in (secret, HOOK, "key=Zy9x"):
        assert hidden not in page
    assert trail() == ["channel added"]
    assert HOOK not in str(Entry.objects.values_list("details", flat=True))


def test_an_admin_adds_a_chat(as_user, adam):
    assert add(as_user(adam), "slack", target=f" {SLACK} ")["Location"] == f"{PAGE}?said=added"
    kept = Channel.objects.get()
    assert (kept.hint, kept.sealed_secret) == ("hooks.slack.com\N{NO-BREAK SPACE}…i7FQ", "")
    assert unseal(kept.sealed_target) == SLACK


@pytest.mark.parametrize("kind", Channel.Kind.values)
def test_each_kind_has_its_form_and_says_where_its_address_is_found(as_user, olga, kind):
    page = as_user(olga).get(f"{PAGE}add/{kind}/").text
    assert 'id="target-help"' in page
    ticked = page.count("checked")
    assert ticked == 4 + {"webhook": 5, "pagerduty": 5, "ticket": 3}.get(kind, 1)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("webhook", "http://hooks.harbor.example/"), ("webhook", "https://127.0.0.1/"), ("webhook", "https://[::1]/"),
        ("webhook", "https://169.254.169.254/"), ("webhook", "https://u:p@hooks.example/"), ("webhook", "nonsense"),
        ("webhook", "https://hooks.example:22/"), ("webhook", ""), ("webhook", "https://h.example/\x00"),
        ("ticket", "https://10.0.0.1/"), ("slack", HOOK), ("teams", HOOK), ("pagerduty", "123"), ("ntfy", HOOK),
        ("email", "nobody"), ("email", "a@b.example\r\nBcc: x@y.example"),
        ("webhook", "https://h.example/" + "x" * 3000),
    ],
)  # fmt: skip
def test_what_does_not_do_is_refused_in_words_and_kept_as_typed(as_user, olga, kind, target):
    answer = add(as_user(olga), kind, target=target)
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    assert 'value="Our desk"' in answer.text
    assert not Channel.objects.exists()


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "x" * 61}, {"kinds": []}, {"kinds": ["x"]}, {"priorities": []}]
)
def test_the_other_fields_are_looked_at_too(as_user, olga, change):
    assert add(as_user(olga), **change).status_code == 422
    assert not Channel.objects.exists()
    assert add(as_user(olga)).status_code == 200, "first, the rest is fine"


def test_an_unknown_kind_is_no_page(as_user, olga):
    assert as_user(olga).get(f"{PAGE}add/telex/").status_code == 404


def test_who_may_not_manage_stays_out_and_strangers_find_nothing(as_user, ann, vic, hook, summit):
    omar = UserFactory(account=summit, role="owner")
    doors = [(f"{PAGE}{hook.pk}/{what}/", {}) for what in ("switch", "test", "remove")]
    for person in (ann, vic):
        assert as_user(person).get(PAGE).status_code == 403
        assert add(as_user(person)).status_code == 403
        assert [as_user(person).post(*door).status_code for door in doors] == [403, 403, 403]
    assert "Hook" not in as_user(omar).get(PAGE).text
    assert [as_user(omar).post(*door).status_code for door in doors] == [404, 404, 404]
    hook.refresh_from_db()
    assert hook.is_on


def test_off_on_and_away_with_it(as_user, olga, hook):
    browser = as_user(olga)
    for on, said in (("no", "Switched off"), ("no", "Switched off"), ("yes", "Switched on")):
        answer = browser.post(f"{PAGE}{hook.pk}/switch/", {"on": on}, follow=True)
        assert said in answer.text
    assert "Remove Hook?" in browser.get(f"{PAGE}{hook.pk}/remove/").text
    assert Channel.objects.exists()
    assert "Removed." in browser.post(f"{PAGE}{hook.pk}/remove/", follow=True).text
    assert not Channel.objects.exists()
    assert trail() == ["channel added", "channel switched off", "channel switched on", "channel removed"]


def test_a_test_is_on_its_way_and_the_page_looks_again(as_user, olga, hook):
    browser = as_user(olga)
    page = browser.post(f"{PAGE}{hook.pk}/test/", follow=True).text
    assert "A test is on its way." in page
    assert "hx-trigger" in page
    again = browser.post(f"{PAGE}{hook.pk}/test/")
    assert (again.status_code, "on its way already" in again.text) == (409, True)
    channels.switch(hook, by=olga, on=False)
    assert browser.post(f"{PAGE}{hook.pk}/test/").status_code == 409


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"state": "sent", "sent_at": "2026-11-28T10:00:00Z"}, "Arrived"),
        ({"state": "dead", "error": "It answered 500."}, "It answered 500."),
        ({"state": "waiting", "attempts": 2, "error": "It does not answer."}, "Trying again"),
        ({"state": "waiting"}, "On its way"),
    ],
)
def test_the_state_of_the_last_delivery_is_told_in_words(as_user, olga, hook, state, words):
    told = {"kind": "test", "account": hook.account, "give_up_at": "2026-11-29T10:00:00Z"}
    assert "Nothing has been sent yet" in as_user(olga).get(PAGE).text
    Delivery.objects.create(channel=hook, **told, **state)
    assert words in as_user(olga).get(PAGE).text


def test_the_admin_sends_again_what_was_given_up_and_shows_no_address(as_user, adam, hook):
    told = {"kind": "test", "account": hook.account, "give_up_at": "2026-11-29T10:00:00Z"}
    dead = Delivery.objects.create(channel=hook, state="dead", error="It answered 500.", **told)
    sent = Delivery.objects.create(channel=hook, state="sent", sent_at="2026-11-28T10:00:00Z", **told)
    browser = as_user(adam)
    action = {"action": "send_again", "_selected_action": [str(dead.pk), str(sent.pk)]}
    said = browser.post("/admin/escalations/delivery/", action, follow=True).text
    assert "it is on its way" in said
    assert "Only what was given up" in said
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == ("waiting", 0)
    page = browser.get(f"/admin/escalations/channel/{hook.pk}/change/").text
    assert "hooks.harbor.example" in page
    for sealed in (HOOK, hook.sealed_target, hook.sealed_secret):
        assert sealed not in page
