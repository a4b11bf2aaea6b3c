"""A server on loopback that speaks the wire format of OpenAI's chat completions, well or badly.

`with ModelServer() as server: server.behave(says(...))`. Each behaviour gets the connection's handler and what was
asked, and answers, late, wrongly or not at all. What was asked is kept in `server.asked`, byte for byte.
"""

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

Behaviour = Callable[["Handler", dict[str, Any]], None]


def assessment(**changes: Any) -> dict[str, Any]:
    """What a model that behaves says of a case."""
    return {
        "summary_prose": {"text": "Outlook asks for the password again and again.", "sources": ["m1"]},
        "what_we_know": [{"text": "It began on Monday.", "sources": ["m1"]}],
        "likely_cause": {"text": "A stale token.", "sources": ["s1"]},
        "suggested_steps": [{"text": "Look at the cached credentials of the profile.", "sources": ["s1"]}],
        "confidence": "medium",
        **changes,
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Loopback"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked = json.loads(body)
        model_server = self.server.model_server
        model_server.asked.append(body)
        model_server.began.set()
        try:
            model_server.behaviour(self, asked)
        except (BrokenPipeError, ConnectionResetError):
            model_server.hung_up.set()
        finally:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def complete(self, text: Any, asked: dict[str, Any]) -> None:
        """A whole answer; in pieces where it was asked for as a stream."""
        if asked.get("stream"):
            self.stream([text[at : at + 12] for at in range(0, len(text), 12)])
        else:
            self.answer(json.dumps(completion(text)).encode())

    def begin_stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()

    def piece(self, text: str) -> None:
        delta = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "test"}
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
        self.wfile.write(f"data: {json.dumps({**delta, 'choices': [choice]})}\n\n".encode())
        self.wfile.flush()

    def end_stream(self) -> None:
        chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "test"}
        choice = {"index": 0, "delta": {}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode())
        self.wfile.write(f"data: {json.dumps({**chunk, 'choices': [], 'usage': usage})}\n\ndata: [DONE]\n\n".encode())
        self.wfile.flush()
        self.server.model_server.over.wait(0.02)  # that it is over comes before the connection's end

    def stream(self, pieces: list[str], *, pause: float = 0) -> None:
        self.begin_stream()
        for text in pieces:
            self.piece(text)
            time.sleep(pause)  # a model takes its time
        self.end_stream()


def completion(text: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "refusal": None}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "test",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


class Loopback(ThreadingHTTPServer):
    daemon_threads = True
    model_server: "ModelServer"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hung up is what some tests want."""


class ModelServer:
    """`url` is what OPENAI_BASE_URL is to be."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.began, self.hung_up, self.over = threading.Event(), threading.Event(), threading.Event()
        self.behaviour: Behaviour = says(assessment())
        self.http = Loopback(("127.0.0.1", 0), Handler)
        self.http.model_server = self
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/v1"

    def __enter__(self) -> Self:
        threading.Thread(target=self.http.serve_forever, args=[0.02], daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    def behave(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self.asked.clear()
        self.began.clear()
        self.hung_up.clear()

    def settings(self) -> dict[str, str]:
        """The environment of a server that asks here."""
        return {"ASSESSMENT_MODEL": "openai:test", "OPENAI_API_KEY": "none-at-all", "OPENAI_BASE_URL": self.url}


# Behaviours


def is_assessment(asked: dict[str, Any]) -> bool:
    return not asked.get("stream")


def says(told: Any, *, chat: str = "Look at the cached credentials first. [s1]\n\nThat is where it was.") -> Behaviour:
    """A good answer: `told` as JSON (or as it is, if it is text) to an assessment, `chat` in the chat."""

    def behave(handler: Handler, asked: dict[str, Any]) -> None:
        text = told if isinstance(told, str) else json.dumps(told)
        handler.complete(text if is_assessment(asked) else chat, asked)

    return behave


def after(seconds: float, then: Behaviour) -> Behaviour:
    def behave(handler: Handler, asked: dict[str, Any]) -> None:
        handler.server.model_server.over.wait(seconds)
        then(handler, asked)

    return behave


def never(handler: Handler, asked: dict[str, Any]) -> None:
    handler.server.model_server.over.wait(120)


def status(code: int, **headers: str) -> Behaviour:
    body = json.dumps({"error": {"message": "no <b>way</b>", "type": "x", "code": None}}).encode()
    return lambda handler, asked: handler.answer(body, status=code, **headers)


def raw(body: bytes, kind: str = "application/json") -> Behaviour:
    return lambda handler, asked: handler.answer(body, kind=kind)


def drops(handler: Handler, asked: dict[str, Any]) -> None:
    """Half of the answer, then nothing more."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", "5000")
    handler.end_headers()
    handler.wfile.write(b'{"id": "c", "choices": [')
    handler.wfile.flush()


def drips(handler: Handler, asked: dict[str, Any]) -> None:
    """A byte every now and then: no read ever waits long, and the answer never comes."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    while not handler.server.model_server.over.wait(0.05):
        handler.wfile.write(b" ")
        handler.wfile.flush()
