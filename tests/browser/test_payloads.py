"""Hundreds of texts that want to be more than text, in every field that takes one, on every screen that shows it.

Each text stands in each field that is long enough for it: one of five here, all of them in CI. Screens of one session
alone are looked at for a few, and for all of them with `EVERY_PAYLOAD=yes` (`make payloads`).
"""

import os
import re
from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import Any
from uuid import UUID

import pytest
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from playwright.sync_api import Route, expect

from analytics import phone
from analytics.models import NOTE_LENGTH
from escalations.actions import assessments, drafts, feedback, handoffs, jobs, offers, runbooks, sessions, steps
from escalations.models import AISession, Assessment, Channel, Delivery, Handoff, Lesson, Runbook
from escalations.runbooks import Page as RunbookPage
from resolutionflow.accounts.models import Account, ApiToken, User
from tests.attached import sent
from tests.browser.payloads import ALL, AWAY, PAYLOADS
from tests.browser.watching import Watched
from tests.factories import SessionFactory, UserFactory
from tests.serving import Server, post

EVERY = os.environ.get("EVERY_PAYLOAD") == "yes"
SOME = PAYLOADS if EVERY else PAYLOADS[::40]
LIVE = PAYLOADS if EVERY else PAYLOADS[::8]
NAME, TICKET = 80, 60  # the longest, in characters


def by(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (texts[start : start + size] for start in range(0, len(texts), size))


@pytest.fixture
def quiet(harbor, monkeypatch) -> Account:
    """Nobody answers, so that only what the test wrote is on the pages."""
    monkeypatch.setattr(jobs, "defer", lambda *_, **__: None)
    harbor.ai, harbor.name = Account.AI.NONE, PAYLOADS[0]
    harbor.ticket_url_template = "https://psa.example/{ticket}"  # every reference is a link as well
    harbor.save()
    return harbor


def start(text: str, *, by: User, **other: str) -> AISession:
    told = {"title": text, "client_name": text, "ticket_ref": text[:TICKET], "problem": text}
    return SessionFactory(by=by, **told | other)


# A test that could not fail would prove nothing


def test_there_are_enough_of_them():
    assert len(set(ALL)) >= 300
    assert set(PAYLOADS) <= set(ALL)


def trusting(text: str) -> str:
    """A page as it would be if a template trusted the text."""
    message = {"pk": "1", "kind": "client", "body": "", "session_id": UUID(int=1), "author_name": mark_safe(text)}  # noqa: S308 on purpose
    return f"<!doctype html><main>{render_to_string('escalations/_message.html', {'message': message})}</main>"


POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; base-uri 'none'"


@pytest.mark.parametrize(
    ("headers", "heard"),
    [({}, ("ran on", "asked http://elsewhere", "dialog: 1")), ({"Content-Security-Policy": POLICY}, ("policy: ",))],
    ids=["no policy", "policy"],
)
def test_where_a_template_trusts_a_text_that_is_heard(watch, server, headers, heard):
    watched: Watched = watch(None)
    alive = 0

    def answer(route: Route) -> None:
        number = int(route.request.url.rpartition("/")[2])
        route.fulfill(body=trusting(ALL[number]), content_type="text/html; charset=utf-8", headers=headers)

    watched.context.route(re.compile(r"/trusting/\d+$"), answer)
    loud = [ALL.index(f"<script>{each}</script>") for each in ("canary()", "alert(1)", f"new Image().src='{AWAY}'")]
    for number in {*range(0, len(ALL), 8), *loud}:
        before = len(watched.heard)
        watched.page.goto(f"{server.url}/trusting/{number}", wait_until="load")
        alive += len(watched.heard) > before
    assert alive >= 12
    for kind in heard:
        assert any(kind in each for each in watched.heard), watched.heard
    assert any(each.startswith("ran") for each in watched.heard) is not bool(headers)


# Screens that show many at once


def test_queue_lists_figures_and_admin_show_every_text_as_it_is(watch, quiet, ben, olga, sam):
    people = [UserFactory(account=quiet, name=text[:NAME]) for text in PAYLOADS]
    for text, person in zip(PAYLOADS, people, strict=True):
        handoffs.escalate(start(text, by=person), by=person, reason=text, priority="high")
    engineer, owner, operator = watch(ben), watch(olga), watch(sam)
    engineer.open("/queue/")
    engineer.shows(*PAYLOADS)
    shown = engineer.shown()
    for text in PAYLOADS:
        assert shown.count(" ".join(text.split())) >= (5 if len(text) <= TICKET else 4 if len(text) <= NAME else 3), (
            text
        )
    for page in range(1, len(PAYLOADS) // 25 + 2):
        engineer.open(f"/notifications/?page={page}")
        engineer.shows()  # shortened, and nothing more than text
    titles, names = PAYLOADS, [text[:NAME] for text in PAYLOADS]
    page_by_page(engineer, "/sessions/?page={}", 25, titles)
    page_by_page(owner, "/analytics/escalations/handoffs/?figure=escalations&part=numerator&page={}", 50, titles)
    for text in PAYLOADS:
        phone.add(quiet, by=olga, seconds=290, note=text[:NOTE_LENGTH])
    owner.open("/analytics/escalations/")
    owner.shows(*names, *(text[:NOTE_LENGTH] for text in PAYLOADS))
    page_by_page(operator, "/admin/escalations/aisession/?p={}", 50, titles)
    page_by_page(operator, "/admin/escalations/handoff/?p={}", 50, titles)
    page_by_page(operator, "/admin/accounts/user/?p={}", 50, names)
    for text in SOME[:3]:
        operator.open(f"/admin/escalations/handoff/{Handoff.objects.get(session__title=text).pk}/change/")
        operator.shows(text)
        operator.open(f"/admin/accounts/user/{User.objects.get(name=text[:NAME]).pk}/change/")
        operator.shows(text[:NAME])


def page_by_page(watched: Watched, address: str, size: int, texts: Sequence[str]) -> None:
    """Each of the texts stands on one of the pages."""
    shown = ""
    for number in range(1, len(texts) // size + 2):
        watched.open(address.format(number))
        watched.shows()
        shown += watched.shown()
    missing = [text for text in texts if " ".join(text.split()) not in shown]
    assert missing == [], f"{address}: {missing[:3]}"


def test_channels_and_their_log_show_every_text_as_it_is(watch, quiet, olga, sam):
    for text in PAYLOADS:
        told = {"sealed_target": "", "kinds": [], "hint": text[:NAME], "created_by": olga}
        channel = Channel.objects.create(account=quiet, kind="webhook", name=text[:60], **told)
        what = {"kind": "test", "state": "dead", "error": text[:300], "give_up_at": channel.created_at}
        Delivery.objects.create(account=quiet, channel=channel, **what)
    owner, operator = watch(olga), watch(sam)
    owner.open("/settings/channels/")
    owner.shows(*[text[:60] for text in PAYLOADS])
    page_by_page(operator, "/admin/escalations/channel/?p={}", 50, [text[:60] for text in PAYLOADS])
    page_by_page(operator, "/admin/escalations/delivery/?p={}", 50, [text[:300] for text in PAYLOADS])
    for text in SOME[:2]:
        named = Channel.objects.get(name=text[:60])
        for place in ("edit", "secret"):
            owner.open(f"/settings/channels/{named.pk}/{place}/")
            owner.shows(text[:60])
        page = owner.open("/settings/channels/add/webhook/")
        page.get_by_label("Name").fill(text[:60])
        page.get_by_label("Address").fill(text)
        page.get_by_role("button", name="Add it").click()
        expect(page.locator(".error")).to_be_visible()
        owner.shows()


# Screens of one session


def test_a_conversation_and_what_was_tried_show_every_text_as_it_is(watch, server, quiet, ann, ben, sam):
    looker, operator = watch(ben), watch(sam)
    for texts in by(PAYLOADS, 80):
        session = start(texts[0], by=ann)
        for text in texts:
            sessions.post(session, by=ann, body=text)
            tried(session, by=ann, text=text)
        looker.open(f"/sessions/{session.pk}/")
        looker.shows(*texts)
        handoff = handoffs.escalate(session, by=ann, reason=texts[-1], priority="urgent")
        looker.open(f"/handoffs/{handoff.pk}/")
        looker.shows(*texts)
        for text in texts[:: 1 if EVERY else 20]:
            sessions.post(session, by=ann, body=text)
            tried(session, by=ann, text=text)
        looker.open(f"/handoffs/{handoff.pk}/")
        looker.shows(*texts)
    operator.open(f"/admin/escalations/aisession/{session.pk}/change/")
    operator.shows(*texts)
    operator.open(f"/admin/escalations/handoff/{handoff.pk}/change/")
    operator.shows()


def tried(session: AISession, *, by: User, text: str) -> None:
    steps.record_step(session, by=by, description=text, outcome="failed", note=text)


def test_one_sessions_screens_show_each_of_its_texts_as_it_is(watch, quiet, ann, ben, olga, sam):
    looker, asked, operator = watch(ben), watch(olga), watch(sam)
    for text in SOME:
        person = UserFactory(account=quiet, name=text[:NAME])
        session = start(text, by=person)
        sessions.post(session, by=person, body=text)
        tried(session, by=person, text=text)
        named = sent(session, by=person, name=f"{text}.log", content=text.encode()).name
        drafts.keep(session, by=ben, field="message", text=text, sent=0, page="p", turn=1)
        handoff = handoffs.escalate(session, by=person, reason=text, priority="low")
        looker.open(f"/handoffs/{handoff.pk}/")
        looker.shows(text, text[:NAME], named)
        handoffs.pick_up(handoff, by=ben)
        looker.open(f"/sessions/{session.pk}/")
        expect(looker.page.get_by_label("Message", exact=True)).to_have_value(text)
        looker.shows(text, named)
        handoffs.release(handoff, by=ben, reason=text)
        handoffs.pick_up(handoff, by=ben)
        offers.hand_to(handoff, by=ben, to=olga, note=text)
        for address in ("/queue/", f"/handoffs/{handoff.pk}/"):
            asked.open(address)
            asked.shows(text)
        sessions.resolve(AISession.objects.get(pk=session.pk), by=ben, resolution=text)
        looker.open(f"/sessions/{session.pk}/")
        looker.shows(text, text[:NAME])
        Lesson.objects.filter(handoff=handoff).update(closest=session.steps.get())
        looker.open(f"/handoffs/{handoff.pk}/")
        looker.shows(f"{text[:NAME]} was close: ‘{text}’", text)
        operator.open("/admin/escalations/attachment/")
        operator.shows(named[:20])  # shortened
        operator.open(f"/admin/escalations/attachment/{session.attachments.get().pk}/change/")
        operator.shows(named)


def test_what_was_solved_and_what_repeats_show_their_texts_as_they_are(watch, quiet, ann, ben, olga):
    learner, owner = watch(ann), watch(olga)
    for text in SOME[:: 1 if EVERY else 3]:
        for _ in range(2):
            session = start(text, by=ann)
            tried(session, by=ann, text=text)
            handoff = handoffs.escalate(session, by=ann, reason=text, priority="low")
            handoffs.pick_up(handoff, by=ben)
            sessions.resolve(AISession.objects.get(pk=session.pk), by=ben, resolution=f"Spooler {text}")
            Lesson.objects.filter(handoff=handoff).update(closest=session.steps.get())
        learner.open("/queue/")
        learner.shows(text, f"Spooler {text}"[:119], f"You were close: ‘{text}’")
        owner.open("/analytics/causes/")
        owner.shows(text)


# What models and runbooks say


def answered(texts: Sequence[str]) -> dict[str, Any]:
    """An assessment whose every statement, warning and source is one of the texts."""
    one = cycle(texts)
    source = lambda: {"kind": "runbook", "id": "vpn", "title": next(one)}  # noqa: E731
    return {
        "summary_prose": next(one),
        "what_we_know": [next(one) for _ in range(6)],
        "likely_cause": next(one),
        "suggested_steps": [{"text": next(one), "warning": next(one), "sources": [source()]} for _ in range(5)],
        "confidence": "low",
        "sources": [source()],
    }


def test_what_a_model_answers_is_shown_as_it_is(watch, quiet, ann, ben, sam):
    looker, operator = watch(ben), watch(sam)
    for texts in by(PAYLOADS, 24):
        session = start("A case", by=ann, problem="")
        handoff = handoffs.escalate(session, by=ann, reason="Stuck.", priority="normal")
        Assessment.objects.filter(handoff=handoff).update(state="failed", reason=texts[0])
        if EVERY or texts[0] == PAYLOADS[0]:
            looker.open(f"/handoffs/{handoff.pk}/")
            looker.shows(texts[0])
        assessments.store(handoff, data=answered(texts), made_by=texts[-1][:80], reason=texts[0])
        handoffs.pick_up(handoff, by=ben)
        looker.open(f"/handoffs/{handoff.pk}/")
        looker.shows(*texts)
        looker.open(f"/sessions/{session.pk}/")
        chips = looker.page.get_by_role("group", name="Suggested steps").get_by_role("button")
        chips.first.click()
        expect(looker.page.get_by_label("Message")).to_have_value(chips.first.get_attribute("data-text") or "")
        looker.shows()
        feedback.judge(handoff, by=ben, helpful=False, why=texts[0])
    operator.open(f"/admin/escalations/assessment/{handoff.pk}/change/")
    operator.shows(texts[0])


def test_runbooks_are_shown_as_they_are(watch, quiet, ben, sam):
    looker, operator = watch(ben), watch(sam)
    for texts in by(PAYLOADS, 40):
        runbooks.keep(RunbookPage(texts[0], texts[1], (texts[2],), texts[3], tuple(texts)), account=quiet)
        page = Runbook.objects.get(path=texts[0])
        looker.open(f"/runbooks/{page.pk}/")
        looker.shows(*texts)
        operator.open(f"/admin/escalations/runbook/{page.pk}/change/")
        operator.shows(*texts[:4])
    operator.open("/admin/escalations/runbook/")
    operator.shows(texts[0], texts[1])


# What arrives while the page is open


def test_live_frames_bring_every_text_as_it_is(watch, server: Server, quiet, ann, ben):
    open_sessions = {text: start(text, by=ann) for text in LIVE}
    talk = start("A talk", by=ann)
    queue, log = watch(ben), watch(ben)
    for watched, address in ((queue, "/queue/"), (log, f"/sessions/{talk.pk}/")):
        watched.open(address)
        expect(watched.page.locator("[data-connection]").first).to_have_attribute("data-connection", "live")
    for text, session in open_sessions.items():
        assert post(server, ann, f"/sessions/{session.pk}/escalate/", reason=text, priority="high").status_code == 302
        assert post(server, ann, f"/sessions/{talk.pk}/messages/", body=text).status_code == 302
    expect(queue.page.locator("[data-handoff]")).to_have_count(len(LIVE))
    expect(log.page.locator(".log .message")).to_have_count(len(LIVE))
    queue.shows(*LIVE)
    log.shows(*LIVE)


# Names of tokens, and what a form gives back


def test_forms_give_back_what_was_typed_as_it_is(watch, quiet, ann, sam):
    writer, operator = watch(ann), watch(sam)
    for text in SOME[:4]:
        page = writer.open("/sessions/")
        page.get_by_label("Title").fill("x" * 201)
        page.get_by_label("Title").evaluate("(field, text) => { field.value = text }", text + "x" * 201)
        page.get_by_label("Problem").fill(text)
        page.get_by_role("button", name="Start").click()
        expect(page.get_by_text("Title: ")).to_be_visible()
        writer.shows(text)
        token = ApiToken.issue(ann)[0]
        ApiToken.objects.filter(pk=token.pk).update(name=text[:NAME])
    operator.open("/admin/accounts/apitoken/")
    operator.shows(*SOME[:4])


def test_settings_and_ones_own_name_give_back_what_was_typed_as_it_is(watch, quiet, olga):
    writer = watch(olga)
    for text in [each for each in SOME if "\n" not in each][:4]:
        page = writer.open("/settings/")
        for label, button in (("Time zone", "Save: Name and time"), ("Address of a ticket", "Save: Ticket links")):
            page.get_by_label(label).fill(text)
            page.get_by_role("button", name=button).click()
            expect(page.get_by_text(f"{label}: ")).to_be_visible()
            expect(page.get_by_label(label)).to_have_value(text)
            writer.shows()
        User.objects.filter(pk=olga.pk).update(name=text[:NAME])
        writer.open("/account/")
        writer.shows(text[:NAME])
