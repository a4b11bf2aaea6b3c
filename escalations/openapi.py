"""The stream's place in the OpenAPI document. By hand: it is no call of django-ninja's, but a Channels consumer."""

from typing import Any

STREAM_PATH = "/api/escalations/stream"
POSITION = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
EXAMPLE = (
    'event: ready\ndata: {"cursor":412}\n\n'
    'id: 413\nevent: handoff_created\ndata: {"id":"…","state":"waiting",…,"cursor":413}\n\n'
    ": keepalive\n\n"
)
DESCRIPTION = """The account's feed as server-sent events, for engineers.

First comes `ready` with the feed's cursor, then an event for every change: `handoff_created`, `handoff_picked_up`,
`handoff_released`, `handoff_taken_back`, `handoff_assessed`, `handoff_resolved`. Its `id` is the change's position in
the feed, its `data` the handoff (`HandoffShape`) in one line, as it is when it is sent: its own `cursor` may be higher
than `id`. Comments keep a quiet stream alive, at least every 25 seconds.

Come back with `Last-Event-ID` (or `?since=`) and you get what you missed, in order and each once. If that is more than
1,000 events, or the feed is another one (a backup was restored), you get `resync` with the cursor instead, and what is
new after it: ask for the handoffs anew. The stream ends when your credentials or your role do."""


def name_scope(call: dict[str, Any], scope: str) -> None:
    """Say in a call's description, and for machines in its `security`, which scope a token needs for it."""
    sentence = f"A token needs the scope `{scope}`."
    if sentence not in call.get("description", ""):
        call["description"] = f"{call.get('description', '')}\n\n{sentence}".strip()
    call["security"] = [
        {name: [scope] if name == "BearerToken" else [] for name in way} for way in call.get("security", [])
    ]


def _refusal(description: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


STREAM: dict[str, Any] = {
    "get": {
        "operationId": "stream_escalations",
        "summary": "Stream Escalations",
        "description": DESCRIPTION,
        "tags": ["Handoffs"],
        "parameters": [
            {
                "in": "header",
                "name": "Last-Event-ID",
                "required": False,
                "schema": POSITION,
                "description": "The id of the last event that you had. It wins over `since`.",
            },
            {
                "in": "query",
                "name": "since",
                "required": False,
                "schema": POSITION,
                "description": "The same, for programs that cannot send headers; 0 for everything.",
            },
        ],
        "responses": {
            200: {
                "description": "OK",
                "content": {"text/event-stream": {"schema": {"type": "string"}, "example": EXAMPLE}},
            },
            400: _refusal("The position is none, or there is no such parameter."),
            401: _refusal("No credentials, or none that are good."),
            403: _refusal("Viewers, and the operator of the installation."),
        },
        "security": [{"BearerToken": []}, {"SessionCookie": []}],
    }
}
