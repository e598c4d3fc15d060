"""The search in the web that a provider has built in: how each is asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import ServiceError

SEARCH = "web_search_options"
"""How it is asked for in general: OpenAI's name in chat completions, which litellm translates."""

_BY_RESPONSES = frozenset({"openai", "azure"})
"""Providers that search only by their newer interface, but for the models that always do."""
_ALONE = frozenset({"gemini"})
"""Providers whose search does not go together with other tools: litellm leaves it out then."""


def search_in_web(provider: str, model: str, arguments: dict[str, Any]) -> None:
    """Change the arguments of a call of litellm so that the model may search.

    Raises `ServiceError` when it could not.
    """
    if provider in _ALONE and "tools" in arguments:
        raise ServiceError(
            f"{provider}/{model} cannot search in the web while it has other tools. Let one person "
            "search, and give the tools to another."
        )
    if provider in _BY_RESPONSES and "search" not in model:
        options = arguments.pop(SEARCH)
        arguments["model"] = f"{provider}/responses/{model.removeprefix('responses/')}"
        tool = {"type": "web_search", **_flat(options)}
        arguments["tools"] = [*arguments.get("tools", ()), tool]


def _flat(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same options as the newer interface has them: the place stands not so deep."""
    place = options.get("user_location")
    if not isinstance(place, Mapping) or not isinstance(place.get("approximate"), Mapping):
        return {**options}
    return {**options, "user_location": {"type": "approximate", **place["approximate"]}}
