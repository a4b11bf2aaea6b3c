"""A real model in place of the playbook, through pydantic-ai: OpenAI, Anthropic, Ollama, vLLM.

The SDKs cost seconds to import, so that is done where they are first needed (`_agent`), in a thread with an event loop
of its own (`in_model_loop`): neither sockets nor other jobs wait for it. No tools, one call, no retries by the SDK; who
asks bounds the time, and a call that is given up is cancelled.
"""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from escalations.assessor import Assessment, Case, Source, plain
from escalations.assessor.answers import Unusable, assessment_of, cited_in, without_labels
from escalations.assessor.prompts import Labels, of_case

log = logging.getLogger(__name__)
R = TypeVar("R")
Purpose = Literal["assess", "answer"]

ANSWER_LENGTH = 4_000  # characters that FlowPilot says at most


@dataclass(frozen=True)
class Connection:
    """Which model, where and with which key. `name` is `provider:model`."""

    name: str
    key: str
    base_url: str | None


@dataclass(frozen=True)
class Usage:
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True)
class Reply:
    """FlowPilot's words, without labels, and the sources that it claims."""

    body: str
    sources: tuple[Source, ...]


class ModelFailed(Exception):
    """`str()` is a sentence for people: why there is no answer. Never what the model or the case said."""


async def assess(case: Case, connection: Connection) -> tuple[Assessment, Usage]:
    """The model's assessment, with the sources that it claims. Raises ModelFailed; takes as long as the model does."""
    labels = Labels(case)

    async def ask() -> tuple[Assessment, Usage]:
        result = await _agent("assess", connection).run(of_case(labels))
        return assessment_of(result.output, labels), _usage(result.usage)

    return await in_model_loop(_in_words(ask()))


async def answer(case: Case, connection: Connection, *, heard: Callable[[str], None]) -> tuple[Reply, Usage]:
    """The model's answer in the chat; `heard` gets all that was said so far, again and again, from another thread.

    Raises ModelFailed; takes as long as the model does.
    """
    labels = Labels(case)

    async def ask() -> tuple[Reply, Usage]:
        said, usage = await _said(_agent("answer", connection), of_case(labels), heard)
        body = plain(without_labels(said), ANSWER_LENGTH)
        if not body:
            raise Unusable("an empty answer")
        return Reply(body, tuple(cited_in(said, labels))), usage

    return await in_model_loop(_in_words(ask()))


async def _said(agent: Any, document: str, heard: Callable[[str], None]) -> tuple[str, Usage]:
    """What the model says, as it comes; all at once from a server that cannot stream."""
    said = ""
    try:
        async with agent.run_stream(document) as result:
            async for said in _bounded(result.stream_text(debounce_by=0.1)):
                heard(plain(without_labels(said), ANSWER_LENGTH))
            return said, _usage(result.usage)
    except Exception as error:
        if said or why(error) != UNUSABLE:
            raise
    result = await agent.run(document)
    return result.output, _usage(result.usage)


async def _bounded(texts: AsyncIterator[str]) -> AsyncIterator[str]:
    """What is said beyond the length that can be shown is not waited for."""
    async for text in texts:
        yield text
        if len(text) > 2 * ANSWER_LENGTH:
            return


# Asking


def _agent(purpose: Purpose, connection: Connection) -> Any:
    from escalations.assessor import sdk  # noqa: PLC0415 it costs seconds, and most processes never ask a model

    return sdk.agent(purpose, connection)


def _usage(usage: Any) -> Usage:
    return Usage(int(usage.input_tokens or 0), int(usage.output_tokens or 0))


# What went wrong, in words


class BrokeOff(ConnectionError):
    """The answer ends before the model said that it does."""


class TooLong(Exception):
    """The answer is longer than anything that we asked for."""


UNUSABLE = "The model's answer could not be used."
STATUS = {
    401: "The model refuses our key (401). Whoever runs this installation can mend that.",
    403: "The model refuses our key (403). Whoever runs this installation can mend that.",
    404: "The model is not known at its address (404). Whoever runs this installation can mend that.",
    429: "The model takes no more questions at the moment (429).",
}


async def _in_words(asking: Coroutine[Any, Any, R]) -> R:
    try:
        return await asking
    except Exception as error:
        raise ModelFailed(why(error)) from None


def why(error: BaseException) -> str:
    """A sentence for people, from the error and what caused it."""
    chain = list(_chain(error))
    if any(isinstance(one, TooLong) for one in chain):
        return "The model's answer was too long."
    for one in chain:
        status = getattr(one, "status_code", None)
        if isinstance(status, int):
            fault = "has a fault" if status >= 500 else "refused the question"
            return STATUS.get(status, f"The model {fault} ({status}).")
    names = {name.__name__ for one in chain for name in type(one).__mro__}
    if names & {"ConnectError", "ConnectTimeout", "TransportError", "APIConnectionError", "OSError"}:
        return "The model could not be reached, or the connection broke off."
    return UNUSABLE


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and len(found) < 20:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


# The loop

_starting = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


async def in_model_loop(asking: Coroutine[Any, Any, R]) -> R:
    """Run it in the models' own thread; cancelling this cancels that."""
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asking, _running_loop()))


def warm_up(connection: Connection) -> None:
    """Import what the first question would wait for; returns at once."""

    async def load() -> None:
        began = time.monotonic()
        _agent("assess", connection)
        _agent("answer", connection)
        log.info("%s can be asked (loaded in %.1f s).", connection.name, time.monotonic() - began)

    asyncio.run_coroutine_threadsafe(load(), _running_loop())


def _running_loop() -> asyncio.AbstractEventLoop:
    global _loop
    with _starting:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="models", daemon=True).start()
        return _loop
