"""Whatever a program sends, the API answers as its description says: no 5xx, no status and no body that is not in it.

Against a running server and its database, with tokens of every role and the ids of objects that exist. FUZZ_CASES says
how many requests (`make fuzz`: 20,000); a short run is part of `make test`.
"""

import os
from collections import Counter
from functools import partial

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from escalations.actions import offers
from resolutionflow.accounts.models import ApiToken
from tests.attached import sent
from tests.factories import HandoffFactory, SessionFactory
from tests.streams import token_of

CASES = int(os.environ.get("FUZZ_CASES", "60"))
MANY = 1000  # from here on, each call gets things of its own
ENOUGH = 20_000  # from here on, each call has to succeed at least once
LUCKY = {  # they take a file's own session, the number of a secret, a handoff of one's own that nobody has moved yet
    "GET /api/sessions/{session_id}/attachments/{attachment_id}",
    "POST /api/handoffs/{handoff_id}/hand-to",
    "POST /api/handoffs/{handoff_id}/accept",
    "POST /api/handoffs/{handoff_id}/decline",
    "POST /api/handoffs/{handoff_id}/withdraw",
    "POST /api/handoffs/{handoff_id}/release",
    "POST /api/sessions/{session_id}/reveal",
    "POST /api/handoffs/{handoff_id}/take-back",
}
STREAM = "/api/escalations/stream"  # it has no end; tests/fuzz/test_sockets.py is about it
CONFORMS = [
    checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MODES = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]


@pytest.fixture
def tokens(ann, ben, vic, olga, adam, zoe):
    everybody = [token_of(person) for person in (ann, ben, vic, olga, adam, zoe)]
    return [*everybody, ApiToken.issue(ann, scopes=["read"])[1], "rf_nobody"]


@pytest.fixture
def things(ann, ben, olga, zoe):
    """Makes sessions and handoffs in every state, of this account and of another one, and gives their ids; `to` are
    people whom something can be offered to."""

    def make():
        offered = [HandoffFactory(by=ann, picker=ben) for _ in range(2)]
        for handoff in offered:
            offers.hand_to(handoff, by=ben, to=olga)
        handoffs = [
            HandoffFactory(by=ann),
            HandoffFactory(by=ben),
            HandoffFactory(by=ann, picker=ben),
            HandoffFactory(by=ann, taken_back=True),
            HandoffFactory(by=ann, picker=ben, resolved=True),
            HandoffFactory(by=zoe),
            *offered,
        ]
        sessions = [
            SessionFactory(by=ann, problem="password: Tr0ub4dor&3"),
            SessionFactory(by=ben),
            SessionFactory(by=zoe),
        ]
        sessions += [handoff.session for handoff in handoffs]
        found = {"session_id": sessions, "handoff_id": handoffs, "to": [ben, olga, zoe]}
        found["attachment_id"] = [sent(session, by=session.holder) for session in sessions[:2]]
        return {name: [str(each.pk) for each in made] for name, made in found.items()}

    return make


def test_every_answer_is_in_the_description(server, tokens, things):
    described = httpx.get(f"{server.url}/api/openapi.json", timeout=20).json()
    del described["paths"][STREAM]
    schema = schemathesis.openapi.from_dict(described)
    calls = [found.ok() for found in schema.get_all_operations()]
    told: Counter[tuple[str, int]] = Counter()
    ids = things()
    with requests.Session() as session:
        for call in calls:
            ids = things() if CASES >= MANY else ids  # they are used up: picked up, resolved
            _fuzz(call, CASES // len(calls) // len(MODES) + 1, partial(_call, server, session), tokens, ids, told)
    print(
        f"\n{sum(told.values())} requests:",
        *(f"{status}×{count}" for status, count in sorted(_by_status(told).items())),
    )
    assert sum(told.values()) >= CASES * 0.9
    assert sum(count for (_, status), count in told.items() if status < 300) >= CASES * 0.1, "it aims badly"
    if CASES >= ENOUGH:
        assert {call.label for call in calls} - {label for label, status in told if status < 300} <= LUCKY
    assert httpx.get(f"{server.url}/healthz", timeout=20).status_code == 200
    assert "Traceback" not in server.said()


def _fuzz(call, each, ask, tokens, ids, told):
    for mode in MODES:

        @settings(
            max_examples=each,
            deadline=None,
            database=None,
            derandomize=CASES < 1000,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=call.as_strategy(generation_mode=mode), data=st.data())
        def fuzz(case, data):
            _aim(case, data, tokens, ids)
            response = ask(case)
            told[call.label, response.status_code] += 1
            case.validate_response(response, checks=CONFORMS)

        fuzz()


def _call(server, session, case):
    session.cookies.clear()
    return case.call(base_url=server.url, session=session, timeout=30)


def _aim(case, data, tokens, ids):
    """At something that is there, three times of four, with the token of somebody."""
    body = case.body if isinstance(case.body, dict) else {}
    for part in (case.path_parameters or {}, body):
        for name in set(part) & set(ids):
            if data.draw(st.sampled_from([True, True, True, False])):
                part[name] = data.draw(st.sampled_from(ids[name]))
    case.cookies = {}
    case.headers = {
        **{name: value for name, value in (case.headers or {}).items() if name.lower() != "authorization"},
        "Authorization": f"Bearer {data.draw(st.sampled_from(tokens))}",
    }


def _by_status(told):
    found: Counter[int] = Counter()
    for (_, status), count in told.items():
        found[status] += count
    return found
