"""Slack, Teams, PagerDuty and ntfy: whom apprise asks, and with what. Nothing leaves the machine."""

import json

import pytest
import requests

from escalations.models import Channel
from escalations.notifications import chat
from escalations.notifications.letter import Letter, NotSent
from escalations.notifications.sending import send

SLACK = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ".replace("/A1", "/B1")
FLOW = "/workflows/643e69f83c8944438d68119179a10a64/triggers/manual/paths/invoke"
ASKED = "?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=KODuebWbDGYFr0z0eu-6Rj8aUKz7108W3wrNJZxFE5A"
OLD = f"https://prod-161.westeurope.logic.azure.com:443{FLOW}{ASKED}"
NEW = f"https://default0a1b.0c.environment.api.powerplatform.com:443/powerautomate/automations/direct{FLOW}{ASKED}"
KEY = "0123456789abcdef0123456789abcdef"
FINE = [
    ("slack", SLACK, "https://hooks.slack.com/services/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"),
    ("teams", OLD, f"https://prod-161.westeurope.logic.azure.com{FLOW}?"),
    ("teams", NEW, NEW.partition("?")[0].replace(":443", "") + "?"),
    ("pagerduty", KEY, "https://events.pagerduty.com/v2/enqueue"),
    ("pagerduty", f"eu:{KEY}", "https://events.eu.pagerduty.com/v2/enqueue"),
    ("ntfy", "harbor-it-9f2c7b", "https://ntfy.sh"),
    ("ntfy", "https://ntfy.sh/harbor-it-9f2c7b", "https://ntfy.sh"),
]
HOSTILE = [
    *[("slack", each) for each in ("", "slack://a/b/c", SLACK.replace("https", "http"), f"{SLACK}?x=y", f"{SLACK}#x")],
    *[("slack", SLACK.replace("hooks.slack.com", host)) for host in ("evil.example", "hooks.slack.com.evil.example")],
    ("slack", SLACK.replace("hooks.slack.com", "hooks.slack.com@127.0.0.1")),
    ("slack", f"{SLACK}\nslack://x"),
    ("slack", "https://hooks.slack.com/services/../../x"),
    ("teams", OLD.replace("logic.azure.com", "logic.azure.com.evil.example")),
    ("teams", OLD.replace("prod-161.westeurope.logic.azure.com", "evil-logic.azure.com")),
    ("teams", OLD.replace("prod-161.westeurope.", "")),
    ("teams", OLD.replace("https://", "https://x@")),
    ("teams", OLD.replace(":443", ":22")),
    ("teams", OLD.replace("https", "http")),
    ("teams", OLD.partition("?")[0]),
    ("teams", OLD.replace("/workflows/", "/other/")),
    ("pagerduty", "short"),
    ("pagerduty", f"{KEY}/x@evil.example"),
    ("pagerduty", f"xx:{KEY}"),
    ("ntfy", "https://evil.example/topic"),
    ("ntfy", "ntfy://127.0.0.1/topic"),
    ("ntfy", "user:pass@topic"),
    ("ntfy", "a/b"),
    ("ntfy", "topic?attach=/etc/passwd"),
    ("ntfy", "json://127.0.0.1"),
]


@pytest.fixture
def asked(monkeypatch):
    """The requests that would leave, and how they are answered."""
    heard = []

    def answer(adapter, request, **options):
        heard.append(request)
        said = requests.Response()
        said.status_code, said._content, said.url, said.request = heard_status[0], b"ok", request.url, request
        return said

    heard_status = [200]
    heard_statuses = heard_status
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", answer)
    heard.append(heard_statuses)
    return heard


def letter(way, target, **other):
    told = {"title": "Escalation from Ann · #1: It hangs", "text": "Reason: stuck", "kind": "handoff_created"}
    more = {"id": "1", "secret": "", "link": "https://desk.example.org/handoffs/1/", "body": {}, "case": "c0ffee"}
    return Letter(way=way, target=target, **(told | more | other))


def ask(asked, *told, status=200, **other):
    """What was said about it, and the request that left for it."""
    asked[0][0] = status
    said = send(letter(*told, **other))
    return said, asked[-1]


@pytest.mark.parametrize(("way", "target", "where"), FINE)
def test_it_asks_the_service_and_tells_the_case(asked, way, target, where):
    said, request = ask(asked, way, target)
    assert said == ""
    assert request.url.replace(":443", "").startswith(where)
    body = request.body.decode() if isinstance(request.body, bytes) else request.body
    assert "Escalation from Ann" in json.dumps(json.loads(body), ensure_ascii=False)
    assert "#1: It hangs" in body


@pytest.mark.parametrize(("way", "target"), HOSTILE)
def test_nothing_but_what_the_service_gives_out_is_taken(asked, way, target):
    with pytest.raises(ValueError, match="gives out"):
        chat.read(way, target)
    assert "gives out" in send(letter(way, target))
    assert len(asked) == 1, "nobody was asked"


def test_what_an_address_asks_of_apprise_is_not_heard(asked):
    """apprise's own options in a query could read files and follow redirects."""
    told = OLD + "&template=/etc/passwd&redirect=yes&verify=no&rto=600"
    assert chat.read("teams", told).keys() == {"host", "workflow", "version", "signature"}
    said, request = ask(asked, "teams", told)
    assert said == ""
    assert "passwd" not in request.url
    assert "root:" not in str(request.body)


def test_redirects_are_not_followed(asked):
    said, _ = ask(asked, "ntfy", "harbor-it", status=302)
    assert said == "ntfy.sh did not take it (302)."
    assert len(asked) == 2


def test_a_refusal_is_said_in_plain_words(asked):
    assert ask(asked, "pagerduty", KEY, status=400)[0] == "PagerDuty did not take it (400)."


def test_nobody_is_called_by_a_clients_text(asked):
    _, request = ask(asked, "slack", SLACK, title="<!channel> & <@U1>", text="<!here>")
    assert "<!channel>" not in request.body
    assert "<@U1>" not in request.body
    assert "<!here>" not in request.body


def test_nothing_becomes_a_link_by_a_clients_text(asked):
    _, request = ask(asked, "teams", OLD, title="[Reset it here](https://evil.example/)")
    shown = [each["text"] for each in json.loads(request.body)["attachments"][0]["content"]["body"]]
    assert shown[0] == r"\[Reset it here\](https://evil.example/)"
    assert shown[1] == "Reason: stuck\n\n[Open it in ResolutionFlow](https://desk.example.org/handoffs/1/)"


def test_a_pagers_incident_ends_with_the_pick_up(asked):
    for kind, action in (
        ("handoff_created", "trigger"),
        ("handoff_released", "trigger"),
        ("handoff_picked_up", "resolve"),
    ):
        _, request = ask(asked, "pagerduty", KEY, kind=kind)
        told = json.loads(request.body)
        assert (told["event_action"], told["dedup_key"], told["routing_key"]) == (action, "c0ffee", KEY)
        assert action == "resolve" or told["payload"]["severity"] == "warning"
    assert json.loads(ask(asked, "pagerduty", KEY, kind="test", case="")[1].body)["event_action"] == "trigger"


def test_every_kind_of_chat_has_its_form():
    assert set(chat.MAY_BE) | {*Channel.SIGNED, Channel.Kind.EMAIL} == set(Channel.Kind)


def test_a_library_that_breaks_is_one_more_try(monkeypatch):
    def broken(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(chat, "plugin", broken)
    assert send(letter("ntfy", "harbor-it")) == "Something went wrong while it was sent."
    with pytest.raises(NotSent):
        chat.send(letter("ntfy", "???"))
