"""Who gets into the admin, whose rows they see, and what they may change about people."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from resolutionflow.accounts.models import Account, ApiToken, User
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LISTS = ["account", "user", "apitoken"]
NEW = {
    "email": "Nina@harbor.example",
    "name": "Nina New",
    "role": "engineer",
    "password1": "a long walk home",
    "password2": "a long walk home",
}


def listing(name: str) -> str:
    return reverse(f"admin:accounts_{name}_changelist")


def page(row, view: str = "change") -> str:
    return reverse(f"admin:accounts_{row._meta.model_name}_{view}", args=[row.pk])


def password_page(person: User) -> str:
    return reverse("admin:auth_user_password_change", args=[person.pk])


def person_form(person: User, **changes) -> dict[str, str]:
    """What the browser sends for a person, by an account's admin; `changes` may be anybody's forgery."""
    form = {"email": person.email, "name": person.name, "role": person.role, "is_active": "on"} | changes
    return {key: value for key, value in form.items() if value is not None}


@pytest.fixture
def tokens(ann, zoe) -> tuple[ApiToken, ApiToken]:
    return ApiToken.issue(ann, name="ann's script")[0], ApiToken.issue(zoe, name="zoe's script")[0]


# Who gets in


def test_adam_and_sam_get_in(adam, sam, as_user):
    assert as_user(adam).get("/admin/").status_code == 200
    assert as_user(sam).get("/admin/").status_code == 200


@pytest.mark.parametrize("name", ["ann", "olga", "vic"])
@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/"])
def test_an_engineer_an_owner_and_a_viewer_are_refused(request, as_user, adam, name, address):
    assert as_user(adam).get(address).status_code == 200
    answer = as_user(request.getfixturevalue(name)).get(address, follow=True)
    assert answer.status_code == 403
    assert answer.redirect_chain[-1][0].startswith("/admin/login/")


def test_an_admin_who_is_switched_off_is_out(adam, as_user):
    browser = as_user(adam)
    assert browser.get("/admin/").status_code == 200
    User.objects.filter(pk=adam.pk).update(is_active=False)
    assert browser.get("/admin/", follow=True).redirect_chain[-1][0] == "/login/?next=%2Fadmin%2F"


@pytest.mark.parametrize("address", ["/admin/", "/admin/accounts/user/", "/admin/login/"])
def test_somebody_signed_out_goes_to_the_products_own_login_and_comes_back(client, address):
    answer = client.get(address, follow=True)
    arrived, _ = answer.redirect_chain[-1]
    back = "/admin/accounts/user/" if "user" in address else "/admin/"
    assert arrived in {f"/login/?next={back}", f"/login/?next={back.replace('/', '%2F')}"}


def test_a_permission_row_opens_nothing(adam, as_user):
    browser = as_user(adam)
    adam.user_permissions.set(Permission.objects.all())
    assert User.objects.get(pk=adam.pk).has_perm("procrastinate.view_procrastinatejob")
    for address in [
        "/admin/procrastinate/procrastinatejob/",
        "/admin/axes/accessattempt/",
        "/admin/accounts/account/add/",
    ]:
        assert browser.get(address).status_code == 403


def test_the_jobs_and_the_failed_sign_ins_are_the_operators(adam, sam, as_user):
    for address in ["/admin/procrastinate/procrastinatejob/", "/admin/axes/accessattempt/", "/admin/axes/"]:
        assert as_user(sam).get(address).status_code == 200
        assert as_user(adam).get(address).status_code in {403, 404}
    assert "procrastinate" not in as_user(adam).get("/admin/").text
    assert "procrastinate" in as_user(sam).get("/admin/").text


def test_groups_are_not_here():
    assert admin.site.is_registered(User)
    assert not admin.site.is_registered(Group)


def test_nothing_of_ours_can_be_deleted(adam, sam, ann, tokens, as_user):
    for person in (adam, sam):
        assert as_user(person).get(page(ann)).status_code == 200
        for row in (ann.account, ann, tokens[0]):
            assert as_user(person).post(page(row, "delete"), {"post": "yes"}).status_code == 403
    form = {"action": "delete_selected", "_selected_action": str(ann.pk)}
    as_user(sam).post(listing("user"), form)
    assert User.objects.filter(pk=ann.pk).exists()


# Whose rows


@pytest.mark.parametrize("name", LISTS)
def test_lists_work_and_show_the_account_only(adam, sam, ann, zoe, tokens, as_user, name):
    hers = {"account": "Summit Desk", "user": "Zoe Zander", "apitoken": "zoe&#x27;s script"}[name]
    own = {"account": "Harbor IT", "user": "Ann Abel", "apitoken": "ann&#x27;s script"}[name]
    seen_by_sam, seen_by_adam = (as_user(person).get(listing(name)) for person in (sam, adam))
    assert own in seen_by_sam.text
    assert hers in seen_by_sam.text
    assert own in seen_by_adam.text
    assert hers not in seen_by_adam.text
    assert "Summit" not in seen_by_adam.text


def test_pages_of_own_rows_work(adam, sam, ann, tokens, as_user):
    for person in (adam, sam):
        for row in (ann.account, ann, tokens[0]):
            for view in ("change", "history"):
                assert as_user(person).get(page(row, view)).status_code == 200, (person, row, view)


@pytest.mark.parametrize("view", ["change", "history", "delete"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_another_accounts_row_is_a_404(adam, sam, zoe, tokens, as_user, view, method):
    for row in (zoe.account, zoe, tokens[1]):
        assert getattr(as_user(sam), method)(page(row, view)).status_code in {200, 302, 403}
        assert getattr(as_user(adam), method)(page(row, view)).status_code == 404
    assert getattr(as_user(adam), method)(password_page(zoe)).status_code == 404


def test_a_row_that_is_nowhere_is_a_404_too(adam, sam, as_user):
    for person in (adam, sam):
        for key in ("00000000-0000-4000-8000-000000000000", "nonsense", "_00", "1"):
            assert as_user(person).get(f"/admin/accounts/user/{key}/change/").status_code == 404


def test_searching_finds_the_accounts_people_only(adam, sam, ann, zoe, as_user):
    for person, expected in ((sam, True), (adam, False)):
        assert "Ann Abel" in as_user(person).get(listing("user"), {"q": "ann@"}).text
        assert ("Zoe Zander" in as_user(person).get(listing("user"), {"q": "zoe@"}).text) == expected


@pytest.mark.parametrize(
    "lookup",
    [
        "account__id__exact",
        "account__name__startswith",
        "account__users__password__startswith",
        "password__startswith",
        "email__regex",
        "api_tokens__digest__startswith",
    ],
)
def test_an_address_cannot_be_used_to_guess(adam, summit, as_user, lookup):
    assert as_user(adam).get(listing("user"), {"role__exact": "admin"}).status_code == 200
    assert as_user(adam).get(listing("user"), {lookup: str(summit.pk)}).status_code == 400


def test_not_even_the_operator_can_guess_hashes(sam, summit, tokens, as_user):
    assert as_user(sam).get(listing("user"), {"account__id__exact": str(summit.pk)}).status_code == 200
    assert as_user(sam).get(listing("user"), {"password__startswith": "a"}).status_code == 400
    assert as_user(sam).get(listing("apitoken"), {"digest__startswith": "a"}).status_code == 400


@pytest.mark.parametrize("name", LISTS)
def test_filters_offer_no_other_account(adam, sam, ann, zoe, tokens, as_user, name):
    if name != "account":
        assert f"__id__exact={zoe.account_id}" in as_user(sam).get(listing(name)).text
    assert str(zoe.account_id) not in as_user(adam).get(listing(name)).text


def test_a_form_would_offer_own_people_only(adam, ann, zoe):
    request = RequestFactory().get("/")
    request.user = adam
    offered = admin.site.get_model_admin(ApiToken).get_field_queryset(None, ApiToken._meta.get_field("user"), request)
    assert ann in offered
    assert zoe not in offered


def test_djangos_doors_to_any_object_are_shut(adam, sam, ann, as_user):
    question = {"app_label": "accounts", "model_name": "apitoken", "field_name": "user"}
    people = ContentType.objects.get_for_model(User)
    for person in (adam, sam):
        assert as_user(person).get(page(ann)).status_code == 200
        assert as_user(person).get("/admin/autocomplete/", question).status_code == 404
        assert as_user(person).get(f"/admin/r/{people.pk}/{ann.pk}/").status_code == 404


def test_no_input_breaks_a_list(adam, sam, ann, as_user):
    questions = [
        {"q": "\x00"},
        {"role__exact": "\x00"},
        {"role__exact": "nonsense"},
        {"p": "9" * 30},
        {"o": "99.-99.x"},
        {"created_at__gte": "nonsense"},
        {"_to_field": "password"},
        {"account__id__exact": "nonsense"},
        {"account__isnull": "nonsense"},
    ]
    for person in (adam, sam):
        for question in questions:
            for name in LISTS:
                assert as_user(person).get(listing(name), question).status_code < 500, (person, name, question)
        form = {"action": "revoke", "_selected_action": "nonsense"}
        assert as_user(person).post(listing("apitoken"), form).status_code == 400


def test_lists_ask_the_same_questions_however_long_they_are(adam, sam, ann, as_user):
    for person in (adam, sam):
        counts = []
        as_user(person).get(listing("apitoken"))  # what is asked once per process
        for _ in range(2):
            for _ in range(4):
                ApiToken.issue(UserFactory(account=ann.account))
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert as_user(person).get(listing("apitoken")).status_code == 200
            counts.append(len(queries))
        assert counts[0] == counts[1]


# Accounts


def test_adam_names_his_account_and_its_time_zone_but_not_its_slug(adam, as_user):
    form = {"name": "Harbor & Sons", "time_zone": "Asia/Tokyo", "slug": "forged"}
    assert as_user(adam).post(page(adam.account), form).status_code == 302
    account = Account.objects.get(pk=adam.account_id)
    assert (account.name, account.time_zone, account.slug) == ("Harbor & Sons", "Asia/Tokyo", "harbor-it")


def test_adam_decides_about_ai_and_the_operator_about_its_budget(adam, sam, as_user):
    form = {"name": "Harbor IT", "slug": "harbor-it", "time_zone": "UTC", "ai": "playbook", "model_calls_per_day": "7"}
    assert as_user(adam).post(page(adam.account), form).status_code == 302
    account = Account.objects.get(pk=adam.account_id)
    assert (account.ai, account.model_calls_per_day) == ("playbook", None)
    assert as_user(sam).post(page(adam.account), form).status_code == 302
    account.refresh_from_db()
    assert (account.ai, account.model_calls_per_day, account.model_tokens_per_day) == ("playbook", 7, None)
    assert as_user(adam).post(page(adam.account), {**form, "ai": "everything"}).status_code == 200
    account.refresh_from_db()
    assert account.ai == "playbook"


def test_a_time_zone_that_is_none_is_refused(adam, as_user):
    answer = as_user(adam).post(page(adam.account), {"name": "Harbor IT", "time_zone": "Mars/Olympus"})
    assert "no IANA time zone" in answer.text
    assert Account.objects.get(pk=adam.account_id).time_zone == "Europe/Berlin"


def test_only_the_operator_opens_accounts(adam, sam, as_user):
    form = {"name": "Third", "slug": "third", "time_zone": "UTC"}
    assert as_user(adam).post("/admin/accounts/account/add/", form).status_code == 403
    assert not Account.objects.filter(slug="third").exists()
    assert as_user(sam).get("/admin/accounts/account/add/").status_code == 200
    assert as_user(sam).post("/admin/accounts/account/add/", form).status_code == 302
    assert Account.objects.filter(slug="third").exists()


# People


def test_adam_adds_a_person_who_can_sign_in(adam, as_user, client):
    assert as_user(adam).get("/admin/accounts/user/add/").status_code == 200
    assert as_user(adam).post("/admin/accounts/user/add/", NEW).status_code == 302
    nina = User.objects.get(email="nina@harbor.example")
    assert (nina.account, nina.role, nina.is_superuser) == (adam.account, "engineer", False)
    answer = client.post("/login/", {"username": "nina@harbor.example", "password": "a long walk home"})
    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(nina.pk)


def test_adam_cannot_add_an_operator_or_a_person_of_another_account(adam, summit, as_user):
    forged = NEW | {"account": str(summit.pk), "is_superuser": "on", "is_staff": "on"}
    assert as_user(adam).post(f"/admin/accounts/user/add/?account={summit.pk}", forged).status_code == 302
    nina = User.objects.get(email="nina@harbor.example")
    assert nina.account == adam.account
    assert not nina.is_superuser


def test_the_form_offers_adam_no_accounts_and_sam_all(adam, sam, summit, as_user):
    assert "Summit Desk" in as_user(sam).get("/admin/accounts/user/add/").text
    assert "Summit Desk" not in as_user(adam).get("/admin/accounts/user/add/").text


def test_sam_adds_a_person_to_the_account_he_names(sam, summit, as_user):
    missing = as_user(sam).post("/admin/accounts/user/add/", NEW)
    assert "Say which account" in missing.text
    assert as_user(sam).post("/admin/accounts/user/add/", NEW | {"account": str(summit.pk)}).status_code == 302
    assert User.objects.get(email="nina@harbor.example").account == summit


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"email": "ANN@harbor.example"}, "This e-mail address is taken."),
        ({"password2": "another"}, "match"),
        ({"password1": "short", "password2": "short"}, "too short"),
        ({"role": "king"}, "not one of the available choices"),
        ({"name": "\x00"}, "Null characters"),
    ],
)
def test_a_bad_new_person_is_refused_in_words(adam, ann, as_user, wrong, said):
    answer = as_user(adam).post("/admin/accounts/user/add/", NEW | wrong)
    assert answer.status_code == 200
    assert said in answer.text
    assert not User.objects.filter(email="nina@harbor.example").exists()


def test_adam_changes_a_persons_name_email_and_role(adam, ann, as_user):
    form = person_form(ann, name="Ann Other", email="ann.other@harbor.example", role="owner")
    assert as_user(adam).post(page(ann), form).status_code == 302
    ann.refresh_from_db()
    assert (ann.name, ann.email, ann.role) == ("Ann Other", "ann.other@harbor.example", "owner")


def test_adam_switches_a_person_off(adam, ann, as_user):
    hers = as_user(ann)
    assert hers.get("/queue/").status_code == 200
    assert as_user(adam).post(page(ann), person_form(ann, is_active=None)).status_code == 302
    assert not User.objects.get(pk=ann.pk).is_active
    assert hers.get("/queue/").status_code == 302


def test_adam_cannot_make_an_operator_or_move_a_person(adam, ann, summit, as_user):
    forged = person_form(ann, name="Ann Changed", is_superuser="on", account=str(summit.pk), password="x")
    assert as_user(adam).post(page(ann), forged).status_code == 302
    changed = User.objects.get(pk=ann.pk)
    assert changed.name == "Ann Changed"
    assert (changed.is_superuser, changed.account, changed.password) == (False, adam.account, ann.password)


def test_adam_cannot_promote_himself(adam, as_user):
    form = person_form(adam, name="Adam the Great", is_superuser="on")
    assert as_user(adam).post(page(adam), form).status_code == 302
    adam.refresh_from_db()
    assert adam.name == "Adam the Great"
    assert not adam.is_superuser


def test_nobody_locks_themselves_out(adam, sam, as_user):
    assert as_user(adam).post(page(adam), person_form(adam, role="viewer", is_active=None)).status_code == 302
    adam.refresh_from_db()
    assert (adam.role, adam.is_active) == ("admin", True)
    assert as_user(sam).post(page(sam), person_form(sam, is_superuser=None, is_active=None)).status_code == 302
    sam.refresh_from_db()
    assert (sam.is_superuser, sam.is_active) == (True, True)


def test_an_operator_within_the_account_is_out_of_its_admins_reach(adam, ann, as_user):
    boss = UserFactory(name="Bo Boss", account=adam.account, is_superuser=True)
    new = {"password1": "a long walk home", "password2": "a long walk home"}
    assert as_user(adam).post(password_page(boss), new).status_code == 403
    assert as_user(adam).post(page(boss), person_form(boss, email="adams@harbor.example")).status_code == 403
    assert as_user(adam).post(password_page(ann), new).status_code == 302


def test_sam_makes_and_unmakes_operators(sam, ann, as_user):
    as_user(sam).post(page(ann), person_form(ann, is_superuser="on"))
    assert User.objects.get(pk=ann.pk).is_superuser
    as_user(sam).post(page(ann), person_form(ann))
    assert not User.objects.get(pk=ann.pk).is_superuser


def test_an_operator_without_an_account_stays_one(sam, as_user):
    sid = User.objects.create_superuser("sid@operator.example", "demo", name="Sid Second")
    answer = as_user(sam).post(page(sid), person_form(sid))
    assert "Everybody but a superuser belongs to an account." in answer.text
    assert User.objects.get(pk=sid.pk).is_superuser


def test_a_new_password_signs_in(adam, ann, as_user, client):
    address = password_page(ann)
    assert f'<a href="{address}">' in as_user(adam).get(page(ann)).text
    assert as_user(adam).get(address).status_code == 200
    new = {"password1": "a long walk home", "password2": "a long walk home"}
    assert as_user(adam).post(address, new).status_code == 302
    client.post("/login/", {"username": ann.email, "password": "a long walk home"})
    assert client.session["_auth_user_id"] == str(ann.pk)


def test_a_persons_page_shows_no_hash(adam, ann, as_user):
    ann.set_password("a long walk home")
    ann.save()
    shown = as_user(adam).get(page(ann)).text
    assert ann.email in shown
    assert "md5" not in shown
    assert ann.password not in shown


# API tokens


def test_a_tokens_digest_is_shown_nowhere(adam, sam, tokens, as_user):
    for person in (adam, sam):
        for address in (listing("apitoken"), page(tokens[0])):
            shown = as_user(person).get(address).text
            assert tokens[0].prefix in shown
            assert tokens[0].digest not in shown


def test_tokens_are_neither_added_nor_edited(adam, sam, tokens, as_user):
    for person in (adam, sam):
        assert as_user(person).get("/admin/accounts/apitoken/add/").status_code == 403
        assert as_user(person).post(page(tokens[0]), {"name": "forged"}).status_code == 403


def test_adam_revokes_a_token_of_his_account_only(adam, tokens, as_user):
    form = {"action": "revoke", "_selected_action": [str(token.pk) for token in tokens]}
    answer = as_user(adam).post(listing("apitoken"), form, follow=True)
    assert "Revoked: 1." in answer.text
    assert [token.pk for token in ApiToken.objects.alive()] == [tokens[1].pk]
    assert LogEntry.objects.get().user == adam


def test_a_token_revoked_twice_keeps_the_first_time(adam, tokens, as_user):
    form = {"action": "revoke", "_selected_action": str(tokens[0].pk)}
    as_user(adam).post(listing("apitoken"), form)
    first = ApiToken.objects.get(pk=tokens[0].pk).revoked_at
    assert first is not None
    as_user(adam).post(listing("apitoken"), form)
    assert ApiToken.objects.get(pk=tokens[0].pk).revoked_at == first


def test_pages_keep_to_the_content_security_policy(adam, sam, ann, as_user):
    for person in (adam, sam):
        for address in ("/admin/", listing("user"), page(ann), "/admin/accounts/user/add/", password_page(ann)):
            shown = as_user(person).get(address)
            assert "script-src 'self'" in shown.headers["Content-Security-Policy"]
            for inline in ("<style", ' style="', " onclick=", "<script>"):
                assert inline not in shown.text, (address, inline)


def test_leaving_the_admin_leads_to_the_login(adam, as_user):
    browser = as_user(adam)
    assert browser.post("/admin/logout/").headers["Location"] == "/login/"
    assert isinstance(browser, Client)
    assert browser.get("/admin/").status_code == 302
