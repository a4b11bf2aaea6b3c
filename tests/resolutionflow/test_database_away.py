"""A database that does not answer: 503 in words, whoever asks and wherever it is noticed."""

import pytest
from django.db import InterfaceError, OperationalError


@pytest.fixture(params=["while it is found out who asks", "in the view"])
def away(request, monkeypatch):
    """`away()` takes the database away, as the request sees it."""
    places = {
        "while it is found out who asks": "resolutionflow.middleware.get_user",
        "in the view": "escalations.views.queue.cursor_of",
    }

    def take_away(error: type[Exception] = OperationalError) -> None:
        def refuse(*args: object) -> None:
            raise error("couldn't get a connection after 5.00 sec")

        monkeypatch.setattr(places[request.param], refuse)

    return take_away


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_page_says_so_and_offers_to_try_again(as_user, ben, away, error):
    browser = as_user(ben)
    away(error)
    answer = browser.get("/queue/?from=mail")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    assert '<a class="button" href="/queue/?from=mail">Try again</a>' in answer.text


def test_a_fragment_says_so_in_the_notice(as_user, ben, away):
    browser = as_user(ben)
    away()
    answer = browser.get("/queue/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (503, "#notice")
    assert 'role="alert"' in answer.text
    assert "The database does not answer" in answer.text


def test_a_post_is_told_that_nothing_was_saved_and_not_offered_again(as_user, ben, monkeypatch):
    browser = as_user(ben)

    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("resolutionflow.middleware.get_user", refuse)
    answer = browser.post("/handoffs/00000000-0000-4000-8000-000000000000/pick-up/")
    assert answer.status_code == 503
    assert "this was not saved" in answer.text
    assert "Try again</a>" not in answer.text


def test_a_program_gets_its_detail(client, monkeypatch, ben):
    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr("resolutionflow.api.user_of_request", refuse)
    answer = client.get("/api/handoffs", headers={"Authorization": "Bearer x"})
    assert answer.status_code == 503
    assert answer.json() == {"detail": "The database does not answer. Please try again in a moment."}
