"""What a model's server may answer, over the wire: an assessment, or one sentence why there is none."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from escalations.assessor import Case, PastSession, TriedStep, llm
from escalations.assessor.llm import Connection, ModelFailed
from tests import model_server
from tests.model_server import assessment, completion, raw, says, status

ROOT = Path(__file__).parents[3]
CASE = Case(
    "Outlook loops",
    "Outlook asks for the password since Monday",
    "Stuck.",
    (("0b6e9c9e-0000-4000-8000-000000000001", 1, "engineer", "It loops, password: hunter22"),),
    (TriedStep("Restarted the PC", "failed"),),
    (PastSession("7f2a0000-0000-4000-8000-000000000002", "Old loop", "Loops too", "Deleted the token", (), 1.0),),
)


@pytest.fixture(scope="module")
def model():
    with model_server.ModelServer() as server:
        asyncio.run(_warm(server))
        yield server


async def _warm(server):
    await llm.assess(CASE, connection(server))


def connection(server):
    return Connection("openai:test", "a-key", server.url)


def assess(server, seconds=5.0):
    async def ask():
        async with asyncio.timeout(seconds):
            return await llm.assess(CASE, connection(server))

    return asyncio.run(ask())


def answer(server, seconds=5.0):
    heard = []

    async def ask():
        async with asyncio.timeout(seconds):
            return await llm.answer(CASE, connection(server), heard=heard.append)

    return asyncio.run(ask()), heard


def asked(server):
    """The document that the model was given."""
    return json.loads(json.loads(server.asked[-1])["messages"][-1]["content"])


def test_a_good_answer_is_an_assessment_with_its_sources(model):
    model.behave(says(assessment()))
    made, usage = assess(model)
    data = made.as_data()
    assert data["summary_prose"] == "Outlook asks for the password again and again."
    assert data["suggested_steps"][0]["sources"] == [{"kind": "session", "id": CASE.past[0].id, "title": "Old loop"}]
    assert data["grounds"]["what_we_know"][0]["sources"][0]["id"] == CASE.messages[0][0]
    assert (data["confidence"], usage.tokens_in, usage.tokens_out) == ("medium", 100, 20)


def test_the_model_sees_the_case_as_data_without_its_secrets_and_has_no_tools(model):
    model.behave(says(assessment()))
    assess(model)
    told = json.loads(model.asked[-1])
    assert "tools" not in told
    assert [message["role"] for message in told["messages"]] == ["system", "user"]
    assert asked(model)["messages"] == [
        {"label": "m1", "author": "engineer", "text": "It loops, password: [hidden password]"}
    ]
    assert [past["label"] for past in asked(model)["resolved_sessions"]] == ["s1"]
    assert b"hunter22" not in model.asked[-1]


FORMS = {
    "as the contract shows it": {
        "summary_prose": "It loops.",
        "what_we_know": ["Since Monday [m1]"],
        "likely_cause": "A stale token (s1).",
        "suggested_steps": [{"text": "Look at the token", "sources": [{"kind": "session", "id": CASE.past[0].id}]}],
        "confidence": "HIGH",
        "more": 1,
    },
    "in a fence": "```json\n" + json.dumps(assessment()) + "\n```",
    "with numbers and nulls": assessment(what_we_know=[1, None, {"text": None}, ["x"]], confidence=7),
    "with one step as a text": assessment(suggested_steps="Look at the token"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_other_forms_of_a_good_answer_are_understood(form, model):
    model.behave(says(form))
    data = assess(model)[0].as_data()
    assert data["summary_prose"]
    assert data["suggested_steps"][0]["text"].startswith("Look at")
    assert data["confidence"] in {"low", "medium", "high"}


def test_labels_in_the_text_count_as_sources_and_do_not_stay_there(model):
    model.behave(says(FORMS["as the contract shows it"]))
    data = assess(model)[0].as_data()
    assert data["what_we_know"] == ["Since Monday"]
    assert data["likely_cause"] == "A stale token."
    assert data["grounds"]["likely_cause"]["sources"][0]["title"] == "Old loop"


BAD = {
    "429": (status(429, Retry_After="60"), "takes no more questions at the moment (429)"),
    "500": (status(500), "has a fault (500)"),
    "503": (status(503), "has a fault (503)"),
    "401": (status(401), "refuses our key (401)"),
    "404": (status(404), "not known at its address (404)"),
    "400": (status(400), "refused the question (400)"),
    "302": (status(302, Location="http://127.0.0.1:9/"), "The model"),
    "broken JSON": (says('{"summary_prose": '), "could not be used"),
    "broken wire": (raw(b'{"choices": [{'), "could not be used"),
    "no choices": (raw(b'{"choices": []}'), "could not be used"),
    "null": (raw(b"null"), "could not be used"),
    "a page": (raw(b"<!doctype html><script>alert(1)</script>", "text/html"), "could not be used"),
    "NUL": (raw(b"\0\0\0"), "could not be used"),
    "another shape": (says({"answer": 42}), "could not be used"),
    "a list": (says([1, 2]), "could not be used"),
    "nothing": (says(""), "could not be used"),
    "no text": (raw(json.dumps(completion(None)).encode()), "could not be used"),
    "an empty summary": (says(assessment(summary_prose="\u202e\0 ")), "could not be used"),
    "2 MB": (says("x" * 2_000_000), "too long"),
    "2 MB of assessment": (says(assessment(summary_prose="y" * 2_000_000)), "too long"),
    "dropped": (model_server.drops, "the connection broke off"),
}


@pytest.mark.parametrize(("behaviour", "words"), BAD.values(), ids=BAD)
def test_a_bad_answer_is_one_sentence(behaviour, words, model):
    model.behave(behaviour)
    with pytest.raises(ModelFailed, match=r"^The model.*\.$") as failed:
        assess(model)
    assert words in str(failed.value)
    assert "<" not in str(failed.value)


def test_a_model_that_is_not_there_is_one_sentence():
    with pytest.raises(ModelFailed, match="could not be reached"):
        asyncio.run(llm.assess(CASE, Connection("openai:test", "a-key", "http://127.0.0.1:9/v1")))


@pytest.mark.parametrize("behaviour", [model_server.never, model_server.drips], ids=["never", "drips"])
def test_a_model_that_does_not_come_to_an_end_is_cancelled_in_time(behaviour, model):
    model.behave(behaviour)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        assess(model, seconds=0.3)
    assert time.monotonic() - began < 1.5
    if behaviour is model_server.drips:
        assert model.hung_up.wait(5), "the connection is closed, not only left alone"


# In the chat


def test_an_answer_is_heard_while_it_comes(model):
    pieces = ["Look at the ", "cached credentials", " first. [s", "1]\n\nThat is", " where it was."]
    model.behave(lambda handler, asked: handler.stream(pieces, pause=0.15))
    (reply, usage), heard = answer(model)
    assert reply.body == "Look at the cached credentials first.\n\nThat is where it was."
    assert [source.id for source in reply.sources] == [CASE.past[0].id]
    assert usage.tokens_out == 20
    assert len(heard) >= 3
    assert reply.body.startswith(heard[0])
    assert heard == sorted(heard, key=len)


@pytest.mark.parametrize(
    "behaviour",
    [status(500), model_server.drops, raw(b"{}"), raw(b"data: {broken\n\n", "text/event-stream"), says("", chat="")],
    ids=["500", "dropped", "empty", "broken stream", "nothing said"],
)
def test_a_bad_answer_in_the_chat_is_one_sentence(behaviour, model):
    model.behave(behaviour)
    with pytest.raises(ModelFailed, match=r"^The model.*\.$"):
        answer(model)


def test_a_server_that_cannot_stream_is_heard_all_the_same(model):
    model.behave(raw(json.dumps(completion("Look at the token. [s1]")).encode()))
    (reply, usage), heard = answer(model)
    assert (reply.body, heard, usage.tokens_out) == ("Look at the token.", [], 20)


def test_an_answer_without_end_is_cut(model):
    def talk(handler, asked):
        handler.begin_stream()
        while True:
            handler.piece("and on ")

    model.behave(talk)
    (reply, _), _heard = answer(model)
    assert len(reply.body) <= llm.ANSWER_LENGTH
    assert model.hung_up.wait(5)


def test_control_and_bidi_characters_do_not_get_into_the_chat(model):
    model.behave(says({}, chat="Run \u202egpj.exe\u202c\0\x1b[31m now"))
    (reply, _), heard = answer(model)
    assert reply.body == "Run gpj.exe[31m now"
    assert all("\u202e" not in text and "\0" not in text for text in heard)


# What it costs


def test_the_project_starts_without_the_models_sdks():
    """They cost seconds. Whoever starts the web, the worker or a command does not wait for them."""
    code = (
        "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'resolutionflow.settings';"
        "import django; django.setup();"
        "import resolutionflow.urls, escalations.tasks, resolutionflow.management.commands.worker;"
        "print([name for name in ('pydantic_ai', 'openai', 'anthropic', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("provider", ["openai", "anthropic", "ollama", "vllm"])
def test_each_provider_can_be_asked(provider):
    from escalations.assessor import sdk

    made = sdk.agent("assess", Connection(f"{provider}:some-model", "a-key", "http://127.0.0.1:9/v1"))
    assert made.model.model_name == "some-model"
