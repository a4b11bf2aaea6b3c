"""The models' SDKs. Importing this costs seconds: `llm` does so when a model is first asked."""

from collections.abc import AsyncIterator
from functools import lru_cache
from typing import Any

from anthropic import AsyncAnthropic
from httpx2 import AsyncByteStream, AsyncClient, Response
from openai import AsyncOpenAI
from pydantic_ai import Agent, NativeOutput, PromptedOutput
from pydantic_ai.models import Model
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.ollama import OllamaProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.vllm import VLLMProvider

from escalations.assessor.answers import Answered
from escalations.assessor.llm import BrokeOff, Connection, Purpose, TooLong
from escalations.assessor.prompts import ANSWER, ASSESS

MOST_BYTES = 1_000_000  # of one answer on the wire
MOST_TOKENS = {"assess": 4_000, "answer": 2_000}
LAST_EVENTS = 4_000  # bytes, among which a stream says that it is over
SAYS_THE_END = (b"[DONE]", b"message_stop", b'finish_reason":"', b'finish_reason": "')
LONGEST_SILENCE = 120  # seconds; who asks has given up long before
SPEAK_OPENAI = {"openai": OpenAIProvider, "ollama": OllamaProvider, "vllm": VLLMProvider}


@lru_cache(maxsize=8)
def agent(purpose: Purpose, connection: Connection) -> Agent[None, Any]:
    """Who answers: an assessment as an object, or text for the chat. It has no tools."""
    model = _model(connection)
    output: Any = str
    if purpose == "assess":
        keeps_to_schemas = model.profile.get("supports_json_schema_output", False)
        output = NativeOutput(Answered, strict=False) if keeps_to_schemas else PromptedOutput(Answered)
    return Agent(
        model,
        output_type=output,
        instructions=ASSESS if purpose == "assess" else ANSWER,
        model_settings={"max_tokens": MOST_TOKENS[purpose]},
        retries={"output": 1, "tools": 0},
    )


def _model(connection: Connection) -> Model[Any]:
    provider, _, name = connection.name.partition(":")
    reached = {
        "api_key": connection.key or "none",
        "base_url": connection.base_url,
        "max_retries": 0,
        "http_client": AsyncClient(timeout=LONGEST_SILENCE, event_hooks={"response": [_bound]}),
    }
    if provider == "anthropic":
        anthropic: Any = AsyncAnthropic
        return AnthropicModel(name, provider=AnthropicProvider(anthropic_client=anthropic(**reached)))
    openai: Any = AsyncOpenAI
    return OpenAIChatModel(name, provider=SPEAK_OPENAI[provider](openai_client=openai(**reached)))


class Bounded(AsyncByteStream):
    """What comes over the wire, up to a length. Raises TooLong, and BrokeOff where a stream of events ends too soon:
    a server that dies in the middle of one may look as if it had nothing more to say."""

    def __init__(self, stream: Any, *, events: bool) -> None:
        self.stream, self.events = stream, events
        self.size, self.end = 0, b""  # of the whole stream: an SDK may read it in two goes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self.stream:
            self.size += len(chunk)
            if self.size > MOST_BYTES:
                raise TooLong
            self.end = (self.end + chunk)[-LAST_EVENTS:]
            yield chunk
        if self.events and not any(said in self.end for said in SAYS_THE_END):
            raise BrokeOff

    async def aclose(self) -> None:
        await self.stream.aclose()


async def _bound(response: Response) -> None:
    events = response.headers.get("content-type", "").startswith("text/event-stream")
    response.stream = Bounded(response.stream, events=events)
