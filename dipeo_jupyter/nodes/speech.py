"""Speaking to a person: what `person_job` and `person_batch_job` have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import (
    BeforeValidator,
    Field,
    JsonValue,
)

from ..diagram.model import Person
from ..diagram.source import Reading
from ..engine.inputs import messages_in
from ..engine.node import Context, Inputs, Refusal, RetryPolicy
from ..engine.ports import Files
from ..engine.powers import Power
from ..errors import NodeError, ServiceError
from ..protocol.events import Message
from .checks import server_powers
from .diagram_files import readable_diagrams
from .memory import Remembering
from .pictures import images_of
from .prompts import Prompted
from .talk import DEFAULT_TIMEOUT, Talk
from .tools import DiagramTool, FunctionTool, ImageGeneration, ToolRef, Tools, WebSearch
from .toolset import open_tools


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else () if value is None else value


class Speaker(Remembering, Prompted):
    """Base of the node types that speak to a person.

    What an edge of the type `conversation_state` brings is seen whatever the view.
    """

    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()
    templates: ClassVar[tuple[str, ...]] = (
        *("prompt", "default_prompt", "first_only_prompt", "memory", "images"),
    )
    names_persons: ClassVar[tuple[str, ...]] = ("person", "ignore_person", "memory_person")

    refused: ClassVar[Mapping[str, Refusal]] = {
        "interactive": Refusal("Put a node of the type `user_response` in front of it."),
        **{
            name: Refusal(
                "Write the JSON Schema of the answer as `output_schema`; of a pydantic class, "
                "`dipeo.schema_of` makes one."
            )
            for name in ("text_format", "text_format_file")
        },
    }
    example: ClassVar[Mapping[str, JsonValue]] = {"person": "Writer", "prompt": "Write a haiku."}

    images: Annotated[tuple[str, ...], BeforeValidator(_listed)] = Field(
        (),
        description=(
            "What is shown with the prompt: values that are images (`{{photo}}`), files below the "
            "run's root, addresses in the web."
        ),
        examples=[["{{photo}}", "charts/sales.png"]],
    )
    tools: Tools = Field(
        (),
        description=(
            "What the person may use: a Python function by its name, a diagram by its file, "
            "`mcp:` and the name of an MCP server, `web_search`, `image_generation`."
        ),
        examples=[["exchange_rate", "web_search"]],
    )
    max_tool_rounds: int = Field(
        10,
        ge=1,
        description="How often the person may use tools, several at once or one, in one turn.",
    )
    cache: bool = Field(
        default=True,
        description=(
            "Whether answers may come from the response cache, where one is switched on. With "
            "`false`, the model is asked."
        ),
    )

    def without_effect(self) -> Mapping[str, str]:
        unused = {} if self.tools else {"max_tool_rounds": "counts only with `tools`"}
        return {**super().without_effect(), **unused}

    def powers(self) -> Iterator[Power]:
        yield from server_powers(self.tools)

    async def diagrams(self, files: Files) -> Sequence[Reading]:
        names = [each.diagram for each in self.tools if isinstance(each, DiagramTool)]
        return [each for name in names async for each in readable_diagrams(name, None, files)]

    @property
    def functions(self) -> Collection[str]:
        return [each.function for each in self.tools if isinstance(each, FunctionTool)]

    @property
    def draws(self) -> bool:
        """Whether images are part of its answers, even when there are none."""
        return any(isinstance(each, ImageGeneration) for each in self.tools)

    async def images_in(self, names: Mapping[str, Any], ctx: Context) -> tuple[str, ...]:
        """What is shown with the prompt. May read files."""
        found = [await images_of(each, names, ctx.services.files) for each in self.images]
        return tuple(image for images in found for image in images)

    async def talk(self, inputs: Inputs, ctx: Context) -> Talk:
        """Choose what the person sees: of what was said before, and of what the edges bring."""
        person = ctx.person(self.person)
        timeout = self.timeout or DEFAULT_TIMEOUT
        past = ctx.conversation()
        brought = _brought(inputs, past)
        view = await self.remembered(self.person, past, ctx)
        shown, heard = list(view), []
        if brought:
            chosen = {*view, *brought}
            shown = [each for each in dict.fromkeys((*past, *view)) if each in chosen]
            heard = [each for each in brought if each not in set(shown)]
        return Talk(
            me=self.person,
            person=_searching(person, self.tools),
            system=await _system_prompt(person, ctx),
            shown=[*shown, *heard],
            heard=heard,
            timeout=timeout,
            cache=self.cache and not ctx.fresh,
            tools=await open_tools(self.tools, person, timeout, ctx),
            rounds=self.max_tool_rounds,
        )


def _brought(inputs: Inputs, past: Sequence[Message]) -> list[Message]:
    """The messages that edges bring, each once; those from outside get an id of their own."""
    found = [message for value in inputs.values() for message in messages_in(value) or ()]
    said = frozenset(past) if found else ()
    return list(dict.fromkeys(each if each in said else _from_outside(each) for each in found))


def _from_outside(message: Message) -> Message:
    """The same whenever it is heard, but never taken for one that was said in this run."""
    digest = hashlib.sha256(message.content.encode()).hexdigest()[:8]
    return message.model_copy(update={"id": f"{message.id}#{digest}"})


def _searching(person: Person, tools: Sequence[ToolRef]) -> Person:
    """The person with the search in the web that its provider has built in, if it shall have it."""
    options = next((each.web_search for each in tools if isinstance(each, WebSearch)), None)
    return person if options is None else person.model_copy(update={"web_search_options": options})


async def _system_prompt(person: Person, ctx: Context) -> str | None:
    if person.prompt_file is None:
        return person.system_prompt
    try:
        return await ctx.services.files.read(person.prompt_file)
    except ServiceError as error:
        message = f"cannot read the person's prompt file: {error}"
        raise NodeError(message, field="person") from error
