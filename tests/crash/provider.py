"""The model provider of the crash tests: outside of what is killed, it counts what it was asked."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from dipeo_jupyter.engine.reuse import key_of
from tests.openai_server import Exchange, OpenAIServer, Request, completion

REFUSED, BREAKS_FIRST = "[refused]", "[breaks first]"
"""In what is said to it: it always refuses, or the first time it is broken."""
_USE = re.compile(r"\[use (\w+)\] twice")
"""Then it uses this tool twice at once, and once more when it has heard what came of it."""


def effect_key(body: Any) -> str:
    """The key under which the journal keeps this call; see `child.LoopbackLLM`.

    litellm does not tell what was `said`; its keys are not compared.
    """
    said = body.get("said") or {"chat": [[x["role"], x["content"]] for x in body["messages"]]}
    return key_of({**said, "with": {"model": body["model"]}})


class Provider(OpenAIServer):
    """Answers by a rule. Each trial has an api base of its own: `{url}/{trial}`."""

    def __init__(self) -> None:
        self._asked: defaultdict[str, Counter[str]] = defaultdict(Counter)
        super().__init__()

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def asked(self, trial: str) -> Counter[str]:
        """How often each thing was asked in a trial, by the effect's key."""
        return Counter(self._asked[trial])

    def _next_step(self, request: Request) -> Callable[[Exchange], Any]:
        self.requests.clear()  # thousands of them
        trial = request.path.split("/")[1]
        body = request.body
        asked = self._asked[trial]
        key = effect_key(body)
        asked[key] += 1
        said = body["messages"][-1]["content"]
        if wanted := _wanted(body["messages"]):
            return lambda exchange: _call(exchange, *wanted)
        if REFUSED in said:
            return lambda exchange: exchange.send(400, '{"error": {"message": "no"}}')
        if BREAKS_FIRST in said and asked[key] == 1:
            return lambda exchange: exchange.send(500, '{"error": {"message": "broken"}}')
        return lambda exchange: _answer(exchange, body)


def _wanted(messages: list[dict[str, Any]]) -> tuple[str, int, int] | None:
    """The tool that it wants to use now, how often, and how often it has done so already."""
    places = [place for place, each in enumerate(messages) if each["role"] == "user"]
    found = _USE.match(messages[places[-1]]["content"])
    used = sum(each["role"] == "tool" for each in messages[places[-1] :])
    return (found[1], 2 if used == 0 else 1, used) if found and used < 3 else None


async def _call(exchange: Exchange, tool: str, count: int, used: int) -> None:
    calls = [
        {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": tool, "arguments": json.dumps({"number": number})},
        }
        for number in range(used, used + count)
    ]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 0}
    choice = {"message": message, "finish_reason": "tool_calls"}
    if exchange.request.body.get("stream"):
        pieces = [(each["id"], tool, each["function"]["arguments"]) for each in calls]
        await exchange.all(exchange.calling("", pieces))
        return
    await exchange.send(200, completion(choice, usage=usage))


async def _answer(exchange: Exchange, body: Any) -> None:
    """An answer that depends on all that was said, and on nothing else."""
    messages = body["messages"]
    whole = hashlib.sha256(json.dumps(messages).encode()).hexdigest()[:8]
    text = f"{whole} on {messages[-1]['content'][:40].replace('[', '(')}"
    usage = {"prompt_tokens": len(messages), "completion_tokens": 3, "total_tokens": 0}
    if body.get("stream"):
        exchange = Exchange(exchange.request, exchange.reader, exchange.writer, usage)
        await exchange.stream(text.split(" "), "stop")
        return
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    await exchange.send(200, completion(choice, usage=usage))
