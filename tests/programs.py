"""Programs that call the API: `Program(ann).post("/sessions", {"title": "…"})`."""

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client

from resolutionflow.accounts.models import ApiToken, User

NO_SUCH_ID = "6b3e97dd-1f63-4a30-838c-476f55dfbbcc"


class Program:
    """Calls the API in the name of one person, or of nobody. A crash of the server is an answer with 500."""

    def __init__(self, user: User | None = None) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {ApiToken.issue(user)[1]}"} if user else {}

    def get(self, path: str) -> HttpResponse:
        return self.call("GET", path)

    def post(self, path: str, told: Any = None, *, key: str | None = None) -> HttpResponse:
        body = b"" if told is None else json.dumps(told).encode()
        return self.call("POST", path, body, **({"Idempotency-Key": key} if key is not None else {}))

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> HttpResponse:
        return self.client.generic(
            method, f"/api{path}", body, content_type="application/json", headers={**self.headers, **headers}
        )


def refusal(response: HttpResponse, status: int) -> dict[str, Any]:
    """What a refusal says, after checking that it is one: the status, JSON, and a sentence in `detail`."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith("application/json")
    said = response.json()
    assert isinstance(said["detail"], str)
    assert said["detail"].endswith((".", "!", "?"))
    return said
