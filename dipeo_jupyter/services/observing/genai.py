"""What spans and their attributes are called, by OpenTelemetry's conventions for generative AI.

They are not settled yet: this is their version 0.1.0, and only this module knows it. What they have
no word for begins with `dipeo.`. Content (what is said to models and tools, and what they say) is
in the attributes of `CONTENT`, which are there only for those who ask for them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from ...protocol.events import Usage
from .asked import ModelCall, ToolUse

Attributes: TypeAlias = dict[str, str | bool | int | float | Sequence[str]]

OPERATION = "gen_ai.operation.name"
AGENT = "gen_ai.agent.name"
CONVERSATION = "gen_ai.conversation.id"
PROVIDER = "gen_ai.provider.name"
MODEL = "gen_ai.request.model"
OUTPUT_TYPE = "gen_ai.output.type"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
REASONING_TOKENS = "gen_ai.usage.reasoning.output_tokens"
TOOL = "gen_ai.tool.name"
TOOL_TYPE = "gen_ai.tool.type"
ERROR = "error.type"

SYSTEM = "gen_ai.system_instructions"
INPUT = "gen_ai.input.messages"
OUTPUT = "gen_ai.output.messages"
ARGUMENTS = "gen_ai.tool.call.arguments"
RESULT = "gen_ai.tool.call.result"
CONTENT = (SYSTEM, INPUT, OUTPUT, ARGUMENTS, RESULT)

EXECUTION = "dipeo.execution.id"
STATUS = "dipeo.execution.status"
NODE = "dipeo.node.label"
NODE_TYPE = "dipeo.node.type"
ACTIVATION = "dipeo.node.activation"
CACHED = "dipeo.node.cached"
INTERRUPTED = "dipeo.interrupted"
REPLAYED = "dipeo.replayed"
COST = "dipeo.cost.usd"

PROVIDERS = {
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "bedrock": "aws.bedrock",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "vertex_ai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
"""Those that the conventions call something else than litellm."""
_NUMBERS = {
    "temperature": float,
    "top_p": float,
    "frequency_penalty": float,
    "presence_penalty": float,
    "max_tokens": int,
    "top_k": int,
    "seed": int,
}


def of_run(name: str | None, execution_id: str, thread: str | None) -> tuple[str, Attributes]:
    """What the span of a run is called, and what it says."""
    attributes: Attributes = {
        OPERATION: "invoke_workflow",
        EXECUTION: execution_id,
        CONVERSATION: thread or execution_id.partition("/")[0],
    }
    if name:
        attributes[AGENT] = name
    return f"invoke_workflow {name}" if name else "invoke_workflow", attributes


def of_node(label: str, kind: str, activation: int, person: str | None) -> tuple[str, Attributes]:
    """The same for an activation; nodes of persons are agents."""
    attributes: Attributes = {NODE: label, NODE_TYPE: kind, ACTIVATION: activation}
    if person is None:
        return f"{kind} {label}", attributes
    return f"invoke_agent {person}", {OPERATION: "invoke_agent", AGENT: person, **attributes}


def of_call(call: ModelCall) -> tuple[str, Attributes]:
    """The same for a call to a model."""
    attributes: Attributes = {
        OPERATION: call.operation,
        PROVIDER: PROVIDERS.get(call.provider, call.provider),
        MODEL: call.model,
    }
    if call.operation == "generate_content":
        attributes[OUTPUT_TYPE] = "image"
    elif call.parameters.get("response_format"):
        attributes[OUTPUT_TYPE] = "json"
    for name, number in _NUMBERS.items():
        given = call.parameters.get(name)
        if isinstance(given, int | float) and not isinstance(given, bool):
            attributes[f"gen_ai.request.{name}"] = number(given)
    stop = call.parameters.get("stop")
    if stop:
        attributes["gen_ai.request.stop_sequences"] = (
            [stop] if isinstance(stop, str) else [*map(str, stop)]
        )
    return f"{call.operation} {call.model}", attributes


def of_tool(use: ToolUse) -> tuple[str, Attributes]:
    """The same for the use of a tool."""
    kind = "extension" if use.home.startswith("mcp:") else "function"
    return f"execute_tool {use.name}", {
        OPERATION: "execute_tool",
        TOOL: use.name,
        TOOL_TYPE: kind,
    }


def of_usage(usage: Usage) -> Attributes:
    """What a call took. What is not known, is not said."""
    attributes: Attributes = {
        INPUT_TOKENS: usage.input_tokens,
        OUTPUT_TOKENS: usage.output_tokens,
    }
    if usage.cached_tokens:
        attributes[CACHED_TOKENS] = usage.cached_tokens
    if usage.reasoning_tokens:
        attributes[REASONING_TOKENS] = usage.reasoning_tokens
    if not usage.unpriced:
        attributes[COST] = usage.usd
    return attributes


def asked(request: Mapping[str, Any]) -> Attributes:
    """Content: what a model or a tool is asked."""
    match request:
        case {"tool": _, "arguments": arguments}:
            return {ARGUMENTS: _json(arguments)}
        case {"draw": str() as prompt}:
            return {INPUT: _json([_message("user", prompt)])}
        case {"chat": list() as said} | {"recall": list() as said}:
            system = [each[1] for each in said if each[0] == "system"]
            others = [_message(*each) for each in said if each[0] != "system"]
            found: Attributes = {INPUT: _json(others)}
            if system:
                found[SYSTEM] = _json([_text(each) for each in system])
            return found
        case _:
            return {}


def answered(value: Any, *, by_tool: bool) -> Attributes:
    """Content: what a model or a tool has said."""
    match value:
        case {"text": str() as text} if by_tool:
            return {RESULT: text}
        case {"text": str() as text}:
            parts = [*([_text(text)] if text else ()), *map(_call, value.get("calls", ()))]
            why = "tool_call" if value.get("calls") else "stop"
            return {OUTPUT: _json([{"role": "assistant", "parts": parts, "finish_reason": why}])}
        case _:
            return {}


def _message(role: str, content: str, more: Mapping[str, Any] = {}) -> dict[str, Any]:
    if role == "tool":
        response = {"type": "tool_call_response", "id": more.get("answers"), "response": content}
        return {"role": role, "parts": [response]}
    images: Iterable[str] = more.get("images", ())
    parts = [
        *([_text(content)] if content else ()),
        *({"type": "image", "content": each} for each in images),
        *map(_call, more.get("calls", ())),
    ]
    return {"role": role, "parts": parts}


def _text(content: str) -> dict[str, Any]:
    return {"type": "text", "content": content}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "tool_call",
        "id": call["id"],
        "name": call["name"],
        "arguments": call["arguments"],
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
