"""Whether a key works: the provider is asked for something that it gives to known people only.

That is its list of models, or what it says of the key, by one plain GET: no model is asked, so it
costs nothing. litellm could try a key only by a chat, which needs a model and costs tokens, so it
is not even imported. The request goes through the same guarded session as all others: to the
provider's own host or to the one that `DIPEO_<PROVIDER>_API_BASE` says, without redirects, and what
comes back is told without the key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

from ..errors import ServiceError
from .keys import Keys
from .llm.guard import Guard, RefusalError

Verdict = Literal["works", "refused", "unclear", "missing"]
"""`unclear`: it could not be found out, and why is said."""

SECONDS = 20.0

_BEARER = {"Authorization": "Bearer {}"}
_ENDPOINTS: dict[str, tuple[str, str, Mapping[str, str]]] = {
    "openai": ("https://api.openai.com/v1", "models", _BEARER),
    "anthropic": (
        "https://api.anthropic.com",
        "v1/models",
        {"x-api-key": "{}", "anthropic-version": "2023-06-01"},
    ),
    "gemini": (
        "https://generativelanguage.googleapis.com/v1beta",
        "models",
        {"x-goog-api-key": "{}"},
    ),
    "xai": ("https://api.x.ai/v1", "models", _BEARER),
    "azure": ("", "openai/models?api-version=2024-10-21", {"api-key": "{}"}),
    "cohere": ("https://api.cohere.com", "v1/models", _BEARER),
    "deepseek": ("https://api.deepseek.com", "models", _BEARER),
    "fireworks_ai": ("https://api.fireworks.ai/inference/v1", "models", _BEARER),
    "groq": ("https://api.groq.com/openai/v1", "models", _BEARER),
    "huggingface": ("https://huggingface.co", "api/whoami-v2", _BEARER),
    "mistral": ("https://api.mistral.ai/v1", "models", _BEARER),
    "notion": (
        "https://api.notion.com",
        "v1/users/me",
        {**_BEARER, "Notion-Version": "2025-09-03"},
    ),
    "openrouter": ("https://openrouter.ai/api/v1", "key", _BEARER),  # its models are for everybody
    "replicate": ("https://api.replicate.com", "v1/account", _BEARER),
    "together_ai": ("https://api.together.xyz/v1", "models", _BEARER),
}
"""Provider → its address, what is asked of it, and how the key is shown."""

_REFUSED = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}  # the first is Google's
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    provider: str
    name: str
    verdict: Verdict
    said: str


async def try_key(
    provider: str,
    name: str | None,
    keys: Keys,
    api_bases: Mapping[str, str] = {},
    seconds: float = SECONDS,
) -> Trial:
    """Ask a provider whether it takes the key; never raises for what the provider says."""
    what = name or provider
    try:
        key = keys.get(provider, name)
    except ServiceError as error:
        return Trial(provider, what, "missing", str(error))
    base, path, headers = _ENDPOINTS.get(provider, ("", "models", _BEARER))
    base = api_bases.get(provider, base).rstrip("/")
    if not base:
        said = "There is no way to try its keys without asking a model: run a diagram."
        return Trial(provider, what, "unclear", said)
    shown = {header: value.format(key) for header, value in headers.items()}
    verdict, said = await _ask(f"{base}/{path}", shown, keys, seconds)
    return Trial(provider, what, verdict, said)


async def _ask(
    url: str, headers: Mapping[str, str], keys: Keys, seconds: float
) -> tuple[Verdict, str]:
    import aiohttp  # noqa: PLC0415 - slow

    guard = Guard(keys)
    try:
        body = await guard.fetch(url, headers, seconds)
    except RefusalError as error:
        return ("refused" if error.status in _REFUSED else "unclear"), str(error)
    except TimeoutError:
        return "unclear", f"No answer came within {seconds:g} s."
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return "unclear", f"The provider was not reached: {keys.redact(str(error)):.200}"
    finally:
        await guard.close()
    if body.lstrip()[:1] not in ("{", "["):
        return "unclear", "Something answered that is not the provider: is there a login page?"
    return "works", "The provider takes it."
