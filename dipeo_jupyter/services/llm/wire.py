"""How messages and tools are written for litellm, which writes them anew for each provider."""

from __future__ import annotations

from typing import Any

from ...engine.chat import ChatMessage, Tool


def wire_message(message: ChatMessage) -> dict[str, Any]:
    """A message as OpenAI's chat completions have it."""
    wired: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        text = [{"type": "text", "text": message.content}] if message.content else []
        images = [{"type": "image_url", "image_url": {"url": each}} for each in message.images]
        wired["content"] = [*text, *images]
    if message.calls:
        wired["content"] = message.content or None
        wired["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.calls
        ]
    if message.answers is not None:
        wired["tool_call_id"] = message.answers
    return wired


def wire_tool(tool: Tool) -> dict[str, Any]:
    """A tool as OpenAI's chat completions have it."""
    return {"type": "function", "function": tool.as_json()}
