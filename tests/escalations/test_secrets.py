"""Secrets: out of everything that is stored, sent or logged; read only by the holder, on record."""

import asyncio
import io
import logging
from html.parser import HTMLParser

import pytest
from django.db import connection

from escalations import tasks
from escalations.actions import handoffs, secrets, sessions
from escalations.actions.refusals import Conflict, NotAllowed
from escalations.masking import mask
from escalations.models import AISession, Handoff, Message, Reveal, Secret
from resolutionflow.logs import Masked
from tests import model_server
from tests.escalations.masking import planted
from tests.factories import SessionFactory
from tests.programs import NO_SUCH_ID, Program, refusal

pytestmark = pytest.mark.django_db


def start(by, **told):
    return sessions.start(by.account, by=by, **{"title": "Outlook loops", **told})


def test_a_secret_is_stored_apart_and_its_place_is_numbered(ann):
    session = start(ann, problem="password: hunter22", title="pw: Qwertz99!")
    assert (session.title, session.problem) == ("pw: [hidden password 1]", "password: [hidden password 2]")
    message = sessions.post(session, by=ann, body="Again: password: hunter22, and API key: 4f8a2c91d0e34b7a")
    assert message.body == "Again: password: [hidden password 2], and API key: [hidden key 3]"
    assert [(secret.number, secret.kind) for secret in session.secrets.all()] == [
        (1, "password"),
        (2, "password"),
        (3, "key"),
    ]
    assert not Secret.objects.filter(sealed__contains="hunter22").exists()


def test_every_text_of_a_session_is_looked_at(ann, ben):
    session = start(ann, client_name="password: Cl13nt!", problem="password: Pr0blem!")
    sessions.record_step(session, by=ann, description="password: St3pped!", outcome="failed", note="password: N0ted!!!")
    handoff = handoffs.escalate(session, by=ann, reason="password: R3ason!")
    handoffs.pick_up(handoff, by=ben)
    handoffs.release(handoff, by=ben, reason="password: R3leased!")
    handoffs.take_back(handoff, by=ann)
    sessions.resolve(session, by=ann, resolution="password: R3solved!")
    assert session.secrets.count() == 7
    assert found_in_database(["Cl13nt", "Pr0blem", "St3pped", "N0ted", "R3ason", "R3leased", "R3solved"]) == []


def found_in_database(values):
    """Which of the values stand in any row of any table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in cursor.fetchall()]
        found = []
        for name in names:
            cursor.execute(f'SELECT string_agg(t::text, chr(10)) FROM "{name}" AS t')  # noqa: S608 our own tables
            text = cursor.fetchone()[0] or ""
            found += [(name, value) for value in values if value in text]
    return found


def test_a_text_that_grows_by_its_placeholders_still_fits(ann):
    title = " ".join(["pw: a1b2!"] * 22)[:200]
    session = start(ann, title=title, ticket_ref="password: abc1!")
    assert len(AISession.objects.get(pk=session.pk).title) <= 200


def test_what_was_written_before_secrets_were_hidden_is_masked_in_the_snapshot(ann):
    session = SessionFactory(by=ann, problem="")
    Message.objects.create(session=session, number=1, kind="engineer", author=ann, body="password: hunter22")
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    assert handoff.snapshot["messages"][0]["body"] == "password: [hidden password]"


# No planted string anywhere


@pytest.mark.django_db(transaction=True)
def test_no_planted_secret_is_in_the_database_at_the_model_or_in_the_logs(ann, settings, published):
    """The whole corpus is said in one session, which is escalated, assessed and answered by a model."""
    values = sorted({value for text in planted.TEXTS for value in secrets_of(text)}, key=len)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(Masked("%(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        with model_server.ModelServer() as server:
            settings.ASSESSMENT_MODEL, settings.MODEL_API_KEY = "openai:test", "a-key"
            settings.MODEL_BASE_URL, settings.ASSESSMENT_BUDGET_SECONDS = server.url, 30
            session = start(ann, problem="\n".join(map(plain, planted.TEXTS[:20])))
            for at in range(20, len(planted.TEXTS), 10):
                body = "\n".join(map(plain, planted.TEXTS[at : at + 10]))
                message = sessions.post(session, by=ann, body=body)
                logging.getLogger("escalations").warning("Said: %s", body)
            asyncio.run(tasks.answer(str(session.pk), str(message.pk)))
            handoff = handoffs.escalate(session, by=ann, reason=plain(planted.TEXTS[0]))
            asyncio.run(tasks.assess(str(handoff.pk)))
            handoff = Handoff.objects.for_context().get(pk=handoff.pk)
            assert handoff.assessment.assessor == "openai:test"
            sent = b"".join(server.asked).decode()
    finally:
        logging.getLogger().removeHandler(handler)
    bodies = [session.problem, *(message["body"] for message in handoff.snapshot["messages"])]
    frames = [Shown(frame["html"]).text for _, frame in published if "html" in frame]
    shown = {"snapshot": "\n".join(bodies), "model": sent, "logs": log.getvalue(), "frames": "\n".join(frames)}
    # What the rules miss, 2 % at most, is known from the corpus.
    stored = "\n".join(mask(plain(text)) for text in planted.TEXTS)
    missed = {value for value in values if value in stored}
    assert len(missed) <= 0.02 * len(values)
    # A short number may stand in an id or a time; it is looked for in what people wrote.
    sought = {place: [v for v in values if place != "model" or len(v) > 6] for place in shown}
    found = {place: [v for v in sought[place] if v in text and v not in missed] for place, text in shown.items()}
    assert found == {"snapshot": [], "model": [], "logs": [], "frames": []}
    assert found_in_database([value for value in values if len(value) > 6 and value not in missed]) == []


def secrets_of(text):
    return [part.split("⟫")[0] for part in text.split("⟪")[1:]]


def plain(text):
    return text.replace("⟪", "").replace("⟫", "")


class Shown(HTMLParser):
    """The text of a fragment, without its markup."""

    def __init__(self, fragment):
        super().__init__()
        self.text = ""
        self.feed(fragment)

    def handle_data(self, data):
        self.text += data


# Reveal


@pytest.fixture
def session(ann):
    return start(ann, problem="password: hunter22")


def test_the_holder_can_read_a_secret_and_that_is_on_record(ann, session):
    secret = session.secrets.get()
    assert secrets.reveal(secret, by=ann) == "hunter22"
    assert [(reveal.by, reveal.secret) for reveal in Reveal.objects.all()] == [(ann, secret)]
    line = session.messages.get(kind="system")
    assert (line.body, line.author) == ("Ann Abel revealed hidden password 1.", ann)


def test_nobody_but_the_holder_can_read_it(ann, ben, vic, session):
    secret = session.secrets.get()
    for other in (ben, vic):
        with pytest.raises(NotAllowed):
            secrets.reveal(secret, by=other)
    handoff = handoffs.escalate(session, by=ann, reason="Stuck.")
    handoffs.pick_up(handoff, by=ben)
    assert secrets.reveal(Secret.objects.get(), by=ben) == "hunter22"
    with pytest.raises(NotAllowed):
        secrets.reveal(Secret.objects.get(), by=ann)
    assert Reveal.objects.count() == 1


def test_a_closed_session_keeps_its_secrets(ann, session):
    sessions.resolve(session, by=ann, resolution="Done.")
    with pytest.raises(Conflict):
        secrets.reveal(session.secrets.get(), by=ann)


def test_another_secret_key_cannot_open_it(ann, session, settings):
    settings.SECRET_KEY = "another"
    with pytest.raises(Conflict, match="another SECRET_KEY"):
        secrets.reveal(session.secrets.get(), by=ann)
    assert Reveal.objects.count() == 0


def test_the_page_shows_a_button_and_a_press_shows_the_secret(as_user, ann, ben, session):
    page = as_user(ann).get(f"/sessions/{session.pk}/").text
    assert "hunter22" not in page
    assert "hidden password 1</button>" in page
    address = f"/sessions/{session.pk}/reveal/"
    answer = as_user(ann).post(address, {"number": "1"}, headers={"HX-Request": "true"})
    assert (answer.status_code, "hunter22" in answer.text) == (200, True)
    assert "no-store" in answer.headers["Cache-Control"]
    whole = as_user(ann).post(address, {"number": "1"})
    assert "hunter22" in whole.text
    assert "<h1" in whole.text
    refused = as_user(ben).post(address, {"number": "1"})
    assert (refused.status_code, "hunter22" in refused.text) == (403, False)


@pytest.mark.parametrize("number", ["", "0", "2", "-1", "x", "99999999999999999999", "\x00"])
def test_a_number_that_is_none_is_not_found(number, as_user, ann, session):
    assert as_user(ann).post(f"/sessions/{session.pk}/reveal/", {"number": number}).status_code == 404


def test_another_accounts_secret_is_not_found(as_user, zoe, session):
    assert as_user(zoe).post(f"/sessions/{session.pk}/reveal/", {"number": "1"}).status_code == 404
    assert as_user(zoe).get(f"/sessions/{session.pk}/reveal/").status_code in {404, 405}
    assert Reveal.objects.count() == 0


def test_a_program_of_the_holders_can_read_it_too(ann, ben, zoe, session):
    path = f"/sessions/{session.pk}/reveal"
    answer = Program(ann).post(path, {"number": 1})
    assert (answer.status_code, answer.json()) == (200, {"number": 1, "kind": "password", "value": "hunter22"})
    assert answer.headers["Cache-Control"] == "no-store"
    refusal(Program(ben).post(path, {"number": 1}), 403)
    refusal(Program(zoe).post(path, {"number": 1}), 404)
    refusal(Program(ann).post(path, {"number": 2}), 404)
    refusal(Program(ann).post(path, {"number": 0}), 422)
    refusal(Program(ann).post(f"/sessions/{NO_SUCH_ID}/reveal", {"number": 1}), 404)
    assert "hunter22" not in Program(ann).get(f"/sessions/{session.pk}").text
