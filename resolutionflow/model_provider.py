"""Which models ASSESSMENT_MODEL may name, and the variables that say where they are and with which key.

The keys and addresses are the providers' usual variables. They are read here, from the environment or `.env`, and
handed on as settings, because the providers' own SDKs would look into the environment alone.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

WITHOUT_MODEL = frozenset({"playbook", "none"})


@dataclass(frozen=True)
class Provider:
    """The variables of one provider. `default_url` is where it usually listens; None means its public address."""

    key: str
    url: str
    needs_key: bool = False
    needs_url: bool = False
    default_url: str | None = None


PROVIDERS = {
    "openai": Provider("OPENAI_API_KEY", "OPENAI_BASE_URL", needs_key=True),
    "anthropic": Provider("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", needs_key=True),
    "ollama": Provider("OLLAMA_API_KEY", "OLLAMA_BASE_URL", default_url="http://127.0.0.1:11434/v1"),
    "vllm": Provider("VLLM_API_KEY", "VLLM_BASE_URL", needs_url=True),
}
KEYS = [provider.key for provider in PROVIDERS.values()]
URLS = [provider.url for provider in PROVIDERS.values()]
Told = Callable[[str], str]  # the value of a variable, empty where it is unset


def is_known(value: str) -> bool:
    """playbook, none, or provider:model."""
    provider, _, model = value.partition(":")
    return value in WITHOUT_MODEL or (provider in PROVIDERS and bool(model.strip()) and model == model.strip())


def provider_of(assessment_model: str) -> Provider | None:
    return PROVIDERS.get(assessment_model.partition(":")[0]) if ":" in assessment_model else None


def broken_variables(assessment_model: str, told: Told) -> list[str]:
    """The variables of this model's provider that are not set and must be, or are no address."""
    provider = provider_of(assessment_model)
    if provider is None:
        return []
    broken = [provider.key] if provider.needs_key and not told(provider.key) else []
    url = told(provider.url)
    if (provider.needs_url and not url) or (url and not is_web_address(url)):
        broken.append(provider.url)
    return broken


def key_of(assessment_model: str, told: Told) -> str:
    provider = provider_of(assessment_model)
    return told(provider.key) if provider else ""


def base_url_of(assessment_model: str, told: Told) -> str | None:
    """Where the model answers; None for the provider's public address. Ollama's and vLLM's may leave out `/v1`."""
    provider = provider_of(assessment_model)
    if provider is None:
        return None
    url = told(provider.url) or provider.default_url
    if url and provider.key in {"OLLAMA_API_KEY", "VLLM_API_KEY"} and urlsplit(url).path in {"", "/"}:
        return url.rstrip("/") + "/v1"
    return url


def is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def packages_are_there() -> bool:
    """Whether the extra `ai` is installed; without importing it, which costs seconds."""
    return importlib.util.find_spec("pydantic_ai") is not None
