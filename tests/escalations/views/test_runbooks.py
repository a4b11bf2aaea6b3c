"""The page of an imported runbook: for everybody of the account, and nobody else."""

import pytest

from escalations.models import Runbook

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(harbor):
    return Runbook.objects.create(
        account=harbor, path="printing/spooler.md", title="<b>Spooler</b>", body="x", steps=["Stop <it>", "Start it"]
    )


def test_everybody_of_the_account_can_read_it(as_user, ann, vic, page):
    for who in (ann, vic):
        shown = as_user(who).get(f"/runbooks/{page.pk}/").content.decode()
        assert "<li>Stop &lt;it&gt;</li><li>Start it</li>" in shown
        assert "&lt;b&gt;Spooler&lt;/b&gt;" in shown
        assert "printing/spooler.md" in shown
        assert "Built-in" not in shown


def test_another_account_does_not_find_it(as_user, ann, zoe, page):
    assert as_user(ann).get(f"/runbooks/{page.pk}/").status_code == 200
    assert as_user(zoe).get(f"/runbooks/{page.pk}/").status_code == 404


def test_a_page_without_steps_says_so(as_user, ann, page):
    Runbook.objects.filter(pk=page.pk).update(steps=[])
    assert "This page has no steps." in as_user(ann).get(f"/runbooks/{page.pk}/").content.decode()


def test_only_reading_is_possible(as_user, ann, page):
    assert as_user(ann).post(f"/runbooks/{page.pk}/").status_code == 405
