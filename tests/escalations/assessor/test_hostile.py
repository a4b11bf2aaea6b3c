"""A thousand answers that want to do harm: whatever a model says, the screen holds plain, bounded, sourced text.

Hypothesis makes the answers; the contract, the check of the sources and the template are the product's own. Each tenth
answer takes the whole way through pydantic-ai, which costs ten times as much. `HOSTILE_EXAMPLES=10000` runs for longer.
"""

import asyncio
import json
import os
import unicodedata
from datetime import timedelta
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from escalations import grounding
from escalations.assessor import (
    CAUSE_LENGTH,
    MOST_FACTS,
    MOST_STEPS,
    STEP_LENGTH,
    SUMMARY_LENGTH,
    Case,
    PastSession,
    llm,
)
from escalations.assessor.answers import Answered, Unusable, assessment_of
from escalations.assessor.llm import Connection, ModelFailed
from escalations.assessor.prompts import Labels
from escalations.models import Assessment, Handoff
from tests.factories import SessionFactory

EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "1000"))
OWN_MESSAGE = "0b6e9c9e-0000-4000-8000-000000000001"

MARKUP = st.sampled_from(
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "<svg/onload=alert(1)>",
        '<a href="javascript:alert(1)">x</a>',
        '<div hx-get="/admin/" hx-trigger="load">',
        "<button hx-post=\"/sessions/\" hx-vals='js:{a: 1}'>",
        '"><iframe src="//evil.example">',
        "</section></main><form action=//evil.example>",
        "{{ request.user }} {% load x %} {% include 'base.html' %}",
        "<style>*{display:none}</style>",
        "<!--",
        "]]>",
        "&lt;script&gt;",
        "\u202egnp.exe\u202c",
        "\u2066hidden\u2069",
        "\u200b\u200d\ufeff",
        "\0",
        "\x1b[31m",
        "\ud800",
        "\U000e0041",
        "[m1] [s1] [s99] [r1] [m99]",
        "[hidden password 1]",
        "```json",
        "\r\n\r\n",
        "x" * 5_000,
        "𝒳" * 400,
    ]
)
TEXT = st.one_of(MARKUP, st.text(max_size=40), st.tuples(MARKUP, st.text(max_size=10), MARKUP).map("".join))
SCALAR = st.one_of(TEXT, st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False))
SOURCE = st.one_of(
    st.sampled_from(["m1", "s1", "r1", "m99", "s2", "M1", "[m1]", OWN_MESSAGE]),
    st.fixed_dictionaries(
        {
            "kind": st.one_of(st.sampled_from(["message", "session", "runbook", "file"]), SCALAR),
            "id": st.one_of(
                st.sampled_from([OWN_MESSAGE, "foreign", "s1", "../../etc/passwd"]), st.uuids().map(str), SCALAR
            ),
            "title": SCALAR,
        }
    ),
    SCALAR,
)
SAID = st.one_of(
    st.fixed_dictionaries({"text": SCALAR}, optional={"sources": st.lists(SOURCE, max_size=12), "warning": SCALAR}),
    SCALAR,
)
ANSWER = st.fixed_dictionaries(
    {"summary_prose": SAID},
    optional={
        "what_we_know": st.one_of(st.lists(SAID, max_size=12), SCALAR),
        "likely_cause": SAID,
        "suggested_steps": st.one_of(st.lists(SAID, max_size=12), SCALAR),
        "confidence": st.one_of(st.sampled_from(["low", "medium", "high", "HIGH", "certain"]), SCALAR),
        "sources": st.lists(SOURCE, max_size=3),
        "state": SCALAR,
        "html": MARKUP,
    },
)
JSON = st.recursive(SCALAR, lambda some: st.lists(some, max_size=4) | st.dictionaries(TEXT, some, max_size=4))
WIRE = st.one_of(ANSWER.map(json.dumps), ANSWER.map(json.dumps), JSON.map(json.dumps), TEXT)


@pytest.fixture(scope="module")
def hostile_agent():
    """The product's own agent, with a model that says what a test tells it to."""
    from pydantic_ai.messages import ModelResponse, TextPart
    from pydantic_ai.models.function import FunctionModel

    from escalations.assessor import sdk

    says = {"text": ""}

    async def reply(messages, info):
        return ModelResponse(parts=[TextPart(says["text"])])

    agent = sdk.agent("assess", Connection("openai:hostile", "k", "http://127.0.0.1:9/v1"))
    model = FunctionModel(reply, profile={"supports_json_schema_output": True})
    with agent.override(model=model):
        yield says


class Shown(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


def texts_of(data):
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from texts_of(value)
    elif isinstance(data, list):
        for value in data:
            yield from texts_of(value)


def check_shape(data):
    assert 0 < len(data["summary_prose"]) <= SUMMARY_LENGTH
    assert len(data["likely_cause"]) <= CAUSE_LENGTH
    assert len(data["what_we_know"]) <= MOST_FACTS
    assert len(data["suggested_steps"]) <= MOST_STEPS
    assert all(len(text) <= STEP_LENGTH for text in data["what_we_know"])
    assert all(0 < len(step["text"]) <= STEP_LENGTH for step in data["suggested_steps"])
    assert data["confidence"] in {"low", "medium", "high"}
    for text in texts_of(data):
        assert not any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn"} and c not in "\n\t" for c in text)


def check_sources(data, known):
    grounds = data["grounds"]
    stated = [grounds["summary_prose"], grounds["likely_cause"], *grounds["what_we_know"]]
    for statement in [*stated, *data["suggested_steps"]]:
        assert {(source["kind"], source["id"]) for source in statement["sources"]} <= known
        assert bool(statement["sources"]) != bool(statement.get("unsupported"))
    assert len(grounds["what_we_know"]) == len(data["what_we_know"])


def check_page(data, session):
    assessment = Assessment(
        state="ready", data=data, assessor="openai:hostile", deadline=timezone.now() + timedelta(minutes=1)
    )
    handoff = SimpleNamespace(pk=Handoff().pk, session_id=session.pk, assessment=assessment)
    page = Shown(render_to_string("escalations/_assessment.html", {"handoff": handoff, "session": session}))
    assert page.tags <= {"section", "h2", "h3", "p", "ul", "ol", "li", "span", "a", "b"}
    for name, value in page.attributes:
        assert not name.startswith(("on", "hx-", "style", "src"))
        assert name != "href" or value.startswith("/sessions/")


def asked(hostile_agent, case, wire):
    """What comes of it through pydantic-ai; None if it is refused, in one sentence."""
    hostile_agent["text"] = wire
    try:
        return asyncio.run(llm.assess(case, Connection("openai:hostile", "k", "http://127.0.0.1:9/v1")))[0]
    except ModelFailed as error:
        return None if str(error) == "The model's answer could not be used." else pytest.fail(str(error))


def understood(case, wire):
    """What comes of it by the same contract; None if it is refused."""
    try:
        return assessment_of(Answered.model_validate_json(wire), Labels(case))
    except (ValidationError, Unusable):
        return None


@pytest.mark.django_db
def test_whatever_a_model_says_the_screen_holds_plain_bounded_sourced_text(ann, hostile_agent):
    session = SessionFactory(by=ann)
    past = SessionFactory(by=ann, resolved=True)
    case = Case(
        "Outlook loops",
        "It loops.",
        "Stuck.",
        ((OWN_MESSAGE, 1, "engineer", "It loops."),),
        (),
        (PastSession(str(past.pk), past.title, "", "Token", (), 1.0),),
    )
    known = {("message", OWN_MESSAGE), ("session", str(past.pk))}
    seen = {"shown": 0, "refused": 0}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(WIRE)
    def hold(wire):
        whole_way = sum(seen.values()) % 10 == 0
        made = asked(hostile_agent, case, wire) if whole_way else understood(case, wire)
        if made is None:
            seen["refused"] += 1
            return
        data = grounding.grounded(made, case=case, account=ann.account).as_data()
        json.dumps(data, allow_nan=False).encode("utf-8")
        check_shape(data)
        check_sources(data, known)
        check_page(data, session)
        seen["shown"] += 1

    hold()
    assert min(seen.values()) > EXAMPLES / 20, f"both kinds were tried: {seen}"
