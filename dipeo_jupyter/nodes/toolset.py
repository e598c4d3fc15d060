"""The tools that a person has while it is spoken to, and how they are used.

A model is told of its tools, says which it wants to be used, and goes on when it knows what came of
them. What goes wrong in a tool is told to the model, which may try something else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import PurePosixPath
from typing import Any

from ..diagram.model import Person
from ..diagram.suggest import did_you_mean, with_nearest
from ..engine.chat import Tool, tool_name
from ..engine.inputs import as_text
from ..engine.node import Context, EffectPolicy
from ..engine.ports import OutsideTool, ToolResult
from ..engine.schemas import misfit, strict_json
from ..errors import ChildError, DiagramError, NodeError, ServiceError
from ..protocol.events import ToolCall, ToolUse
from .diagram_files import read_diagram, result_of, wrong_diagram
from .drawing import TOOL, Drawing, drawing_for
from .start import inputs_schema
from .tools import DiagramTool, FunctionTool, ImageGeneration, McpTools, ToolRef

FIELD = "tools"
LONGEST_RESULT = 200_000
"""Characters of a result that a model is told."""
_SHOWN = 100
"""Characters of the arguments that people are shown while a tool is at work."""
_NOT_KNOWN = "It was done, but nobody knows what came of it."

Use = Callable[[Mapping[str, Any], str, int], Awaitable[ToolResult]]
"""Uses a tool: its arguments, the name of the effect, and a number that tells its parts apart."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool and how it is used. Only those that are `at_once` may be while others are."""

    tool: Tool
    use: Use
    at_once: bool


@dataclass(frozen=True, slots=True)
class Toolset:
    """What a person may use in one activation; `numbers` are handed out to its uses, each once."""

    offers: Mapping[str, Offer] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    @property
    def tools(self) -> Sequence[Tool]:
        """As models are told of them."""
        return [each.tool for each in self.offers.values()]

    def numbered(self, first: int) -> Toolset:
        """The same for one of several talks of an activation: its numbers begin with `first`."""
        return replace(self, numbers=count(first))

    async def use(self, calls: Sequence[ToolCall], ctx: Context, name: str) -> tuple[ToolUse, ...]:
        """Do what a model wants, and say what came of it, in the order of its calls.

        Each is an effect, or a part of the run; `name` tells those of one answer from others.
        """
        uses: dict[int, ToolUse] = {}
        numbers = [next(self.numbers) for _ in calls]

        async def in_turn(places: Sequence[int]) -> None:
            for place in places:
                call = calls[place]
                ctx.progress(f"uses {call.name}({_short(call.arguments)})")
                uses[place] = await self._use(call, f"{name}.{place}", numbers[place])

        places = range(len(calls))
        alone = [place for place in places if not self._at_once(calls[place])]
        others = [[place] for place in places if place not in alone]
        # Not a TaskGroup: a defect in one is no reason to cut another short.
        for ended in await asyncio.gather(*map(in_turn, (alone, *others)), return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
        return tuple(uses[place] for place in places)

    def _at_once(self, call: ToolCall) -> bool:
        return call.name not in self.offers or self.offers[call.name].at_once

    async def _use(self, call: ToolCall, effect: str, number: int) -> ToolUse:
        offer = self.offers.get(call.name)
        if offer is None:
            hint = did_you_mean(call.name, self.offers) or "There are none."
            result = _failed(f"There is no tool {call.name!r}. {hint}")
        else:
            result = await _used(offer, call, effect, number)
        text = result.text
        if len(text) > LONGEST_RESULT:
            text = f"{text[:LONGEST_RESULT]}\n… ({len(text):,} characters in all)"
        return ToolUse(**call.model_dump(), result=text, failed=result.failed, images=result.images)


async def open_tools(
    refs: Sequence[ToolRef], person: Person, seconds: float, ctx: Context
) -> Toolset:
    """Find the tools that a person shall have; raises `NodeError` for one that is not there.

    A tool that is a model itself may take so many seconds.
    """
    offers: dict[str, Offer] = {}
    for ref in refs:
        for offer in await _offers(ref, person, seconds, ctx):
            name = offer.tool.name
            if name in offers:
                raise NodeError(f"has two tools that are called {name!r}", field=FIELD)
            offers[name] = offer
    return Toolset(offers)


async def _offers(ref: ToolRef, person: Person, seconds: float, ctx: Context) -> Sequence[Offer]:
    toolbox = ctx.services.tools
    try:
        match ref:
            case FunctionTool(function=name):
                return [_outside(toolbox.function(name), ctx)]
            case McpTools(mcp=server, only=only):
                found = await toolbox.of_server(server)
                return [_outside(each, ctx) for each in _only(found, only, server)]
            case DiagramTool():
                return [await _diagram(ref, ctx)]
            case ImageGeneration():
                return [_painting(drawing_for(ref, person, seconds, ctx), ctx)]
            case _:  # what the provider has built in
                return []
    except ServiceError as error:
        raise NodeError(str(error), field=FIELD) from error


def _only(
    found: Sequence[OutsideTool], only: Sequence[str] | None, server: str
) -> Sequence[OutsideTool]:
    if only is None:
        return found
    by_name = {each.tool.name: each for each in found}
    for name in only:
        if name not in by_name:
            message = f"{server!r} has no tool {name!r}."
            raise NodeError(with_nearest(message, name, by_name), field=FIELD)
    return [by_name[name] for name in only]


def _outside(outside: OutsideTool, ctx: Context) -> Offer:
    tool = outside.tool
    policy = EffectPolicy(
        unknown="repeat" if outside.repeatable else "ask", what=f"The tool {tool.name!r}"
    )

    async def use(arguments: Mapping[str, Any], effect: str, _: int) -> ToolResult:
        async def work(key: str) -> Any:
            text, images, failed = await ctx.services.tools.use(outside, arguments, key)
            more = {"images": list(images), "failed": failed}
            return {"text": text, **{name: value for name, value in more.items() if value}}

        request = {"tool": tool.name, "of": outside.home, "arguments": dict(arguments)}
        done = await ctx.effect(request, work, policy, effect)
        if done.value is None:
            return ToolResult(_NOT_KNOWN)
        return ToolResult(
            done.value["text"],
            tuple(done.value.get("images", ())),
            done.value.get("failed", False),
        )

    return Offer(tool, use, at_once=outside.repeatable)


def _painting(drawing: Drawing, ctx: Context) -> Offer:
    async def use(arguments: Mapping[str, Any], effect: str, _: int) -> ToolResult:
        return await drawing.use(arguments, effect, ctx)

    return Offer(TOOL, use, at_once=True)


async def _diagram(ref: DiagramTool, ctx: Context) -> Offer:
    reading = await read_diagram(ref.diagram, None, ctx.services.files, FIELD)
    try:
        diagram = reading.checked().diagram
    except DiagramError as error:
        raise wrong_diagram(reading, error, FIELD) from error
    tool = Tool(
        name=ref.name or tool_name(PurePosixPath(ref.diagram).name.partition(".")[0]),
        description=ref.description or diagram.description or f"Runs {diagram.name or 'it'}.",
        parameters=inputs_schema(diagram),
    )

    async def use(arguments: Mapping[str, Any], _: str, number: int) -> ToolResult:
        # In a thread: jsonschema takes long to import.
        fault = await asyncio.to_thread(misfit, tool.parameters, arguments)
        if fault is not None:
            return _failed(f"The arguments are wrong: {fault}.")
        try:
            done = await ctx.run_diagram(
                diagram, arguments, item=number, shared=False, file=reading.source
            )
        except ChildError as error:
            return _failed(str(error))
        except DiagramError as error:
            raise wrong_diagram(reading, error, FIELD) from error
        return ToolResult(as_text(result_of(done.outputs)))

    return Offer(tool, use, at_once=True)


async def _used(offer: Offer, call: ToolCall, effect: str, number: int) -> ToolResult:
    try:
        arguments = strict_json(call.arguments) if call.arguments.strip() else {}
    except ValueError as error:
        return _failed(f"The arguments are no JSON: {error}.")
    if not isinstance(arguments, dict):
        return _failed("The arguments are no JSON object.")
    return await offer.use(arguments, effect, number)


def _failed(why: str) -> ToolResult:
    return ToolResult(why, failed=True)


def _short(arguments: str) -> str:
    text = " ".join(arguments.split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
