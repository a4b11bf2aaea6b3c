"""The page of channels: who gets there, what it takes, what it shows."""

import re

import pytest

from escalations.actions import channels
from escalations.actions.refusals import Conflict
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


def edit(client, channel, **change):
    """What an owner's browser sends: everything as it is, but for what is changed; the address is empty."""
    as_it_is = {"name": channel.name, "target": "", "kinds": channel.kinds, "priorities": channel.priorities}
    return client.post(f"{PAGE}{channel.pk}/edit/", as_it_is | change)


def kept(channel):
    return Channel.objects.values().get(pk=channel.pk)


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


HOSTILE = pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("webhook", "http://hooks.harbor.example/"), ("webhook", "https://127.0.0.1/"), ("webhook", "https://[::1]/"),
        ("webhook", "https://169.254.169.254/"), ("webhook", "https://u:p@hooks.example/"), ("webhook", "nonsense"),
        ("webhook", "https://hooks.example:22/"), ("webhook", "https://h.example/\x00"),
        ("ticket", "https://10.0.0.1/"), ("slack", HOOK), ("teams", HOOK), ("pagerduty", "123"), ("ntfy", HOOK),
        ("email", "nobody"), ("email", "a@b.example\r\nBcc: x@y.example"),
        ("webhook", "https://h.example/" + "x" * 3000),
    ],
)  # fmt: skip
WRONG = pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": "x" * 61}, {"kinds": []}, {"kinds": ["x"]}, {"priorities": []}]
)


def errors(answer):
    """What is said about the target."""
    return re.findall(r'id="id_target_error">[^:]*: ([^<]*)', answer.text)


@HOSTILE
def test_what_does_not_do_is_refused_in_words_and_kept_as_typed(as_user, olga, kind, target):
    answer = add(as_user(olga), kind, target=target)
    assert answer.status_code == 422
    assert errors(answer)
    assert 'value="Our desk"' in answer.text
    assert not Channel.objects.exists()


def test_a_channel_is_not_added_without_its_address(as_user, olga):
    assert errors(add(as_user(olga), target=" ")) == ["This field is required."]
    assert not Channel.objects.exists()


@WRONG
def test_the_other_fields_are_looked_at_too(as_user, olga, change):
    assert add(as_user(olga), **change).status_code == 422
    assert not Channel.objects.exists()
    assert add(as_user(olga)).status_code == 200, "first, the rest is fine"


def test_an_unknown_kind_is_no_page(as_user, olga):
    assert as_user(olga).get(f"{PAGE}add/telex/").status_code == 404


def test_who_may_not_manage_stays_out_and_strangers_find_nothing(as_user, ann, vic, hook, summit):
    omar = UserFactory(account=summit, role="owner")
    before = kept(hook)
    verbs = ("switch", "test", "remove", "secret", "edit")
    doors = [(f"{PAGE}{hook.pk}/{what}/", FORM) for what in verbs]
    for person in (ann, vic):
        assert as_user(person).get(PAGE).status_code == 403
        assert add(as_user(person)).status_code == 403
        assert [as_user(person).post(*door).status_code for door in doors] == [403] * len(verbs)
    assert "Hook" not in as_user(omar).get(PAGE).text
    assert [as_user(omar).post(*door).status_code for door in doors] == [404] * len(verbs)
    assert kept(hook) == before
    assert as_user(hook.created_by).post(*doors[-1]).status_code == 302, "first, who may can"
    assert kept(hook) != before


# Editing


def test_its_form_shows_all_but_what_opens_it(as_user, olga, hook):
    channels.edit(hook, by=olga, name="Our desk", target="", kinds=["handoff_created"], priorities=["urgent"])
    page = as_user(olga).get(f"{PAGE}{hook.pk}/edit/").text
    assert 'value="Our desk"' in page
    ticked = {each for each in re.findall(r"<input[^>]*>", page) if "checked" in each}
    assert {re.search(r'value="(\w+)"', each)[1] for each in ticked} == {"handoff_created", "urgent"}
    assert "In use: hooks.harbor.example\N{NO-BREAK SPACE}…Wv8u." in page
    now = Channel.objects.get()
    for hidden in (HOOK, "key=Zy9x", now.sealed_target, now.sealed_secret, unseal(now.sealed_secret)):
        assert hidden not in page


def test_an_empty_address_keeps_the_old_one_and_the_rest_is_changed(as_user, olga, hook):
    before = kept(hook)
    change = {"name": "Our desk", "kinds": ["handoff_resolved"], "priorities": ["low", "high"]}
    assert edit(as_user(olga), hook, target="  ", **change)["Location"] == f"{PAGE}?said=changed"
    assert kept(hook) == before | change
    entry = Entry.objects.filter(kind="settings_changed").latest("seq")
    assert (entry.about, entry.actor) == (f"channel {hook.pk}", olga)
    assert entry.details == {"done": "channel changed", "fields": "name, kinds, priorities"}


def test_a_new_address_takes_its_place_and_stands_in_no_page_and_no_trail(as_user, adam, hook, caplog):
    new, before, browser = "https://elsewhere.example/in?key=Qw3rTyUi", kept(hook), as_user(adam)
    caplog.set_level("DEBUG")
    assert edit(browser, hook, target=f" {new} ").status_code == 302
    now = kept(hook)
    assert unseal(now["sealed_target"]) == new
    assert now["hint"] == "elsewhere.example\N{NO-BREAK SPACE}…TyUi"
    changed = {"sealed_target", "hint"}
    assert {name: value for name, value in now.items() if name not in changed} == {
        name: value for name, value in before.items() if name not in changed
    }
    assert Entry.objects.latest("seq").details == {"done": "channel changed", "fields": "address"}
    pages = browser.get(PAGE).text + browser.get(f"{PAGE}{hook.pk}/edit/").text
    told = str([*Entry.objects.values_list("details", "about")]) + caplog.text
    assert "elsewhere.example" in pages, "first, it is there as far as it may be"
    for hidden in ("Qw3r", now["sealed_target"]):
        assert hidden not in pages + told


def test_nothing_changed_is_nothing_noted(as_user, olga, hook):
    before = kept(hook)
    assert edit(as_user(olga), hook).status_code == 302
    assert kept(hook) == before
    assert trail() == ["channel added"]


GOOD = {
    "webhook": HOOK, "ticket": HOOK, "slack": SLACK, "pagerduty": "0123456789abcdef0123456789abcdef",
    "ntfy": "harbor-it", "email": "oncall@harbor.example",
    "teams": "https://a.logic.azure.com/workflows/0123456789/triggers/manual/paths/invoke?api-version=1&sig=0123456789",
}  # fmt: skip


@HOSTILE
def test_a_new_address_is_refused_in_the_words_of_adding_and_the_old_one_stays(as_user, olga, kind, target):
    browser = as_user(olga)
    refused = add(browser, kind, target=target)
    told = {"name": "Ours", "kinds": TOLD, "priorities": all_priorities()}
    channel, _ = channels.add(by=olga, kind=kind, target=GOOD[kind], **told)
    before = kept(channel)
    answer = edit(browser, channel, name="Our desk", target=target)
    assert answer.status_code == 422
    assert errors(answer) == errors(refused) != []
    assert 'value="Our desk"' in answer.text
    assert kept(channel) == before
    assert edit(browser, channel, name="Our desk", target=GOOD[kind]).status_code == 302, "first, another one does"


@WRONG
def test_the_other_fields_are_looked_at_when_it_is_edited(as_user, olga, hook, change):
    before = kept(hook)
    assert edit(as_user(olga), hook, **change).status_code == 422
    assert kept(hook) == before
    assert as_user(olga).post(f"{PAGE}{hook.pk}/edit/").status_code == 422, "nothing at all is wrong, too"


def test_its_kind_stays_what_it_is(as_user, olga, hook):
    assert edit(as_user(olga), hook, kind="slack", name="Ours").status_code == 302
    assert (kept(hook)["kind"], kept(hook)["name"]) == ("webhook", "Ours")
    assert errors(edit(as_user(olga), hook, kind="slack", target="harbor")), "it is looked at as a webhook"


def test_what_was_removed_meanwhile_is_said_and_not_made_again(as_user, olga, hook, monkeypatch):
    monkeypatch.setattr("escalations.views.channels._find", lambda *_: hook)  # both have found it
    channels.remove(Channel.objects.get(), by=olga)
    answer = edit(as_user(olga), hook, name="Our desk")
    assert (answer.status_code, "was removed meanwhile" in answer.text) == (422, True)
    assert 'value="Our desk"' in answer.text
    assert as_user(olga).post(f"{PAGE}{hook.pk}/secret/").status_code == 409
    assert not Channel.objects.exists()
    with pytest.raises(Conflict):
        channels.send_test(hook, by=olga)


def test_a_new_secret_is_confirmed_shown_once_and_noted(as_user, olga, hook):
    browser, page = as_user(olga), f"{PAGE}{hook.pk}/secret/"
    old = unseal(hook.sealed_secret)
    asked = browser.get(page)
    assert "the old one is used no more" in asked.text
    assert unseal(kept(hook)["sealed_secret"]) == old, "looking changes nothing"
    answer = browser.post(page)
    new = unseal(kept(hook)["sealed_secret"])
    assert new != old
    assert f'value="{new}"' in answer.text
    assert "no-store" in answer["Cache-Control"]
    assert trail() == ["channel added", "channel secret renewed"]
    after = "".join(browser.get(each).text for each in (PAGE, page, f"{PAGE}{hook.pk}/edit/"))
    for hidden in (old, new):
        assert hidden not in asked.text + after + str([*Entry.objects.values_list("details", "about")])


def test_a_chat_has_no_secret_to_renew(as_user, olga, hook):
    told = {"name": "Chat", "kinds": TOLD, "priorities": all_priorities()}
    chat, _ = channels.add(by=olga, kind="slack", target=SLACK, **told)
    browser = as_user(olga)
    link = "/secret/"
    assert link in browser.get(f"{PAGE}{hook.pk}/edit/").text, "first, a webhook has one"
    assert link not in browser.get(f"{PAGE}{chat.pk}/edit/").text
    page = f"{PAGE}{chat.pk}/secret/"
    assert [browser.get(page).status_code, browser.post(page).status_code] == [404, 404]


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
        ({"state": "needless", "error": "Somebody picked it up."}, "Not needed any more"),
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
