"""The account's people: roles, switching off and on, and what happens to what somebody had in hand."""

import threading

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection

from escalations.actions import handoffs
from escalations.actions.refusals import Refusal
from escalations.models import FeedEvent, Handoff
from resolutionflow.accounts import people
from resolutionflow.accounts.models import User
from tests.factories import HandoffFactory, SessionFactory, UserFactory

pytestmark = pytest.mark.django_db


def page(person, verb=""):
    return f"/people/{person.pk}/{verb}"


def fresh(row):
    return type(row).objects.get(pk=row.pk)


def test_the_page_lists_colleagues_and_no_strangers(as_user, olga, ann, zoe):
    ben = UserFactory(name="Ben Bauer", account=ann.account, is_active=False)
    shown = as_user(olga).get("/people/").text
    assert "Olga Owner</b> (you)" in shown
    assert "Ann Abel" in shown
    assert f'{ben.name}</b> <span class="tag">switched off</span>' in shown
    assert zoe.name not in shown
    assert "/people/" in as_user(olga).get("/queue/").text
    assert "/people/" not in as_user(ann).get("/queue/").text


def doors(person):
    return [
        ("get", "/people/"),
        ("post", "/people/invite/"),
        ("get", page(person)),
        ("post", page(person, "role/")),
        ("get", page(person, "deactivate/")),
        ("post", page(person, "deactivate/")),
        ("post", page(person, "reactivate/")),
        ("post", page(person, "second-step/remove/")),
    ]


def test_only_owners_and_admins_have_these_pages(as_user, ann, ben, vic, olga, adam):
    for method, address in doors(ben):
        for person in (ann, vic):
            assert getattr(as_user(person), method)(address, {"role": "viewer"}).status_code == 403
    assert (fresh(ben).role, fresh(ben).is_active) == ("engineer", True)
    for person in (olga, adam):
        assert as_user(person).get(page(ben)).status_code == 200


def test_a_strangers_person_is_a_404(as_user, olga, ann, zoe):
    for method, address in doors(zoe)[2:]:
        for person in (olga, ann):
            assert getattr(as_user(person), method)(address, {"role": "viewer"}).status_code == 404
    assert (fresh(zoe).role, fresh(zoe).is_active) == ("engineer", True)


def test_addresses_that_change_something_take_no_get(as_user, olga, ann):
    for address in (page(ann, "role/"), page(ann, "reactivate/"), page(ann, "second-step/remove/"), "/people/invite/"):
        assert as_user(olga).get(address).status_code == 405


# Roles


def test_a_role_is_given(as_user, olga, ann):
    assert as_user(olga).post(page(ann, "role/"), {"role": "owner"})["Location"] == "/people/"
    assert fresh(ann).role == "owner"


@pytest.mark.parametrize("role", ["admin", "superuser", "", "engineer\x00"])
def test_nobody_gives_more_than_they_have(as_user, olga, ann, role):
    assert as_user(olga).post(page(ann, "role/"), {"role": role}).status_code == 403
    assert fresh(ann).role == "engineer"


def test_an_owner_cannot_change_an_admin_nor_anybody_themselves(as_user, olga, adam):
    for by, person in ((olga, adam), (olga, olga), (adam, adam)):
        for verb in ("role/", "deactivate/", "second-step/remove/"):
            assert as_user(by).post(page(person, verb), {"role": "viewer"}).status_code == 403
    assert as_user(adam).post(page(olga, "role/"), {"role": "owner"}).status_code == 302
    assert {fresh(adam).role, fresh(olga).role} == {"admin", "owner"}


def test_the_last_owner_stays_one(as_user, olga, adam):
    answer = as_user(adam).post(page(olga, "role/"), {"role": "engineer"})
    assert answer.status_code == 409
    assert "Olga Owner is the last owner of the account." in answer.text
    assert as_user(adam).post(page(olga, "deactivate/")).status_code == 409
    form = {"email": olga.email, "name": olga.name, "role": "viewer", "is_active": "on"}
    assert "is the last owner" in as_user(adam).post(f"/admin/accounts/user/{olga.pk}/change/", form).text
    assert (fresh(olga).role, fresh(olga).is_active) == ("owner", True)
    UserFactory(account=olga.account, role="owner", is_active=False)
    assert as_user(adam).post(page(olga, "deactivate/")).status_code == 409
    UserFactory(account=olga.account, role="owner")
    assert as_user(adam).post(page(olga, "deactivate/")).status_code == 302


def test_whoever_becomes_a_viewer_puts_back_what_they_had(as_user, olga, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    as_user(olga).post(page(ben, "role/"), {"role": "viewer"})
    assert fresh(handoff).state == "waiting"


# Off and on


def test_the_page_before_says_what_will_happen(as_user, olga, ann, ben):
    HandoffFactory(by=ann, picker=ben, session=SessionFactory(by=ann, title="VPN drops"))
    HandoffFactory(by=ben)
    shown = as_user(olga).get(page(ben, "deactivate/")).text
    assert "1 picked-up handoff goes back into the queue" in shown
    assert "VPN drops" in shown
    assert "1 of their own escalations waits on" in shown
    assert fresh(ben).is_active


def test_switching_off_hands_back_what_was_picked_up_and_says_who_did_it(as_user, olga, ann, ben):
    picked_up, own = HandoffFactory(by=ann, picker=ben), HandoffFactory(by=ben)
    browser = as_user(ben)
    assert browser.get("/queue/").status_code == 200
    assert as_user(olga).post(page(ben, "deactivate/"))["Location"] == "/people/"
    assert not fresh(ben).is_active
    assert browser.get("/queue/").status_code == 302
    assert (fresh(picked_up).state, fresh(picked_up).picked_up_by) == ("waiting", None)
    assert fresh(picked_up).session.holder == ann
    assert fresh(own).state == "waiting"
    told = FeedEvent.objects.filter(handoff=picked_up).latest("seq")
    assert (told.kind, told.actor, told.data["on_behalf_of"]) == ("handoff_released", olga, str(ben.pk))
    said = "Olga Owner put it back into the queue for Ben Bauer: Ben Bauer is switched off."
    assert picked_up.session.messages.last().body == said


def test_switching_off_in_the_admin_does_the_same(as_user, adam, ann, ben):
    handoff = HandoffFactory(by=ann, picker=ben)
    form = {"email": ben.email, "name": ben.name, "role": ben.role}
    assert as_user(adam).post(f"/admin/accounts/user/{ben.pk}/change/", form).status_code == 302
    assert not fresh(ben).is_active
    assert fresh(handoff).state == "waiting"
    assert FeedEvent.objects.latest("seq").actor == adam


def test_switched_on_again_they_sign_in_as_before(as_user, olga, ben):
    as_user(olga).post(page(ben, "deactivate/"))
    assert as_user(ben).get("/queue/").status_code == 302
    as_user(olga).post(page(ben, "reactivate/"))
    assert as_user(ben).get("/queue/").status_code == 200


def test_a_lost_phone_is_no_end(as_user, olga, ben):
    TOTP.activate(ben, "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
    assert "Remove the second step" in as_user(olga).get(page(ben)).text
    as_user(olga).post(page(ben, "second-step/remove/"))
    assert "Remove the second step" not in as_user(olga).get(page(ben)).text


def test_only_whoever_manages_people_acts_for_somebody_else(ann, ben, vic, zoe, olga):
    handoff = HandoffFactory(by=ann, picker=ben)
    for by in (ann, vic, zoe, UserFactory(account=zoe.account, role="admin")):
        with pytest.raises(Refusal, match="Only an owner or admin"):
            handoffs.release(handoff, by=by, on_behalf_of=ben)
    assert fresh(handoff).picked_up_by == ben
    handoffs.release(handoff, by=olga, on_behalf_of=ben)
    assert fresh(handoff).state == "waiting"


@pytest.mark.django_db(transaction=True)
def test_nothing_is_picked_up_by_somebody_who_is_just_being_switched_off(ann, ben, olga):
    """Ten times at once: whatever comes first, in the end nobody who is off has anything in hand."""
    for _ in range(10):
        handoff = HandoffFactory(by=ann)
        User.objects.filter(pk=ben.pk).update(is_active=True)
        as_loaded = fresh(ben)
        start = threading.Barrier(2)
        both = [
            threading.Thread(target=at_once, args=(start, lambda h=handoff, b=as_loaded: handoffs.pick_up(h, by=b))),
            threading.Thread(target=at_once, args=(start, lambda: people.deactivate(fresh(ben), by=olga))),
        ]
        for each in both:
            each.start()
        for each in both:
            each.join()
        assert not fresh(ben).is_active
        assert not Handoff.objects.filter(picked_up_by=ben).exists()


def at_once(start, verb):
    try:
        start.wait()
        verb()
    except Refusal:
        pass
    finally:
        connection.close()
