"""Fifty pick-ups at the same moment, over HTTP, against the running product."""

import asyncio
import io
import os
from collections import Counter

import httpx
from django.core.management import call_command

from escalations.models import FeedEvent, Handoff
from resolutionflow.accounts.models import ApiToken
from tests.factories import HandoffFactory, SessionFactory, UserFactory

PEOPLE = 10
TRIES_EACH = 5
ROUNDS = 20 if os.environ.get("CI") == "true" else 5


async def race(url: str, tokens: list[str], handoff: Handoff) -> list[httpx.Response]:
    """Everybody presses at once, each try on a connection of its own."""
    limits = httpx.Limits(max_connections=PEOPLE * TRIES_EACH)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        return await asyncio.gather(
            *(
                client.post(f"/api/handoffs/{handoff.pk}/pick-up", headers={"Authorization": f"Bearer {token}"})
                for token in tokens * TRIES_EACH
            )
        )


def test_of_fifty_simultaneous_pickups_exactly_one_person_wins(server, ann):
    people = [UserFactory(account=ann.account, name=f"Person {n}") for n in range(PEOPLE)]
    tokens = {ApiToken.issue(person)[1]: person for person in people}
    for number in range(ROUNDS):
        handoff = HandoffFactory(by=ann, session=SessionFactory(by=ann, problem="", title=f"Round {number}"))
        answers = asyncio.run(race(server.url, list(tokens), handoff))

        handoff.refresh_from_db()
        winner = handoff.picked_up_by
        by_person = [(tokens[a.request.headers["authorization"].removeprefix("Bearer ")], a) for a in answers]
        assert Counter(answer.status_code for answer in answers) == {200: TRIES_EACH, 409: len(answers) - TRIES_EACH}
        assert {person for person, answer in by_person if answer.status_code == 200} == {winner}
        for person, answer in by_person:
            if person != winner:
                assert answer.json()["picked_up_by"] == {"id": str(winner.pk), "name": winner.name}
                assert answer.json()["picked_up_at"]
        assert FeedEvent.objects.filter(handoff=handoff, kind="handoff_picked_up").count() == 1

    said = io.StringIO()
    call_command("audit_feed", stdout=said)
    assert "no breach" in said.getvalue()
