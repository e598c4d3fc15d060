"""Speaking to a person: what `person_job` and `person_batch_job` have in common."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, get_args

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    JsonValue,
    field_validator,
    model_validator,
)

from ..diagram import template
from ..diagram.model import Label, Person
from ..diagram.source import Reading
from ..engine.inputs import messages_in
from ..engine.node import Context, Inputs, Node, Refusal, RetryPolicy
from ..engine.ports import Files
from ..engine.powers import Power
from ..errors import NodeError, ServiceError, TemplateError
from ..protocol.events import Message
from .checks import server_powers
from .diagram_files import readable_diagrams
from .pictures import images_of
from .recall import USUALLY_AT_MOST, Recall, Selector
from .spellings import spelled_or_words
from .talk import Talk
from .tools import DiagramTool, FunctionTool, ImageGeneration, ToolRef, Tools, WebSearch
from .toolset import open_tools
from .views import VIEWS, View, choose, is_view, memory_named

OLDER_MEMORY = ("memory_config", "memoryConfig", "memory_settings", "memorySettings")
"""Maps in which older files hold what is `memory` and `at_most` now."""

DEFAULT_TIMEOUT = 120.0
"""Seconds for one call to a model, when the node gives no `timeout`."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is to be said, and the property that says so."""

    field: str
    template: str

    def filled(self, names: Mapping[str, Any]) -> str:
        """The text, with the names in it filled in."""
        try:
            return template.render(self.template, names)
        except TemplateError as error:
            raise NodeError(str(error), field=self.field) from error


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else () if value is None else value


class Speaker(Node):
    """Base of the node types that speak to a person.

    `prompt` is said in every turn; with `first_only_prompt`, that is said in the first one instead
    (beside a `default_prompt`, `prompt` is the first one). `memory` names the view of the
    conversation that the person sees, `at_most` limits it to the newest messages, `ignore_person`
    leaves out what some persons said or were told. In several words, `memory` says what is to be
    remembered, and the `memory_selector` finds it. What an edge of the type `conversation_state`
    brings is seen whatever the view.
    """

    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()
    templates: ClassVar[tuple[str, ...]] = (
        *("prompt", "default_prompt", "first_only_prompt", "memory", "images"),
    )
    names_persons: ClassVar[tuple[str, ...]] = ("person", "ignore_person", "memory_person")

    older: ClassVar[Mapping[str, str]] = dict.fromkeys(OLDER_MEMORY, "`memory` and `at_most`")
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

    person: Label = Field(
        validation_alias=AliasChoices("person", "personId", "person_id"),
        description="Who is spoken to: the label of one of the `persons`.",
        examples=["Writer"],
    )
    prompt: str | None = Field(
        None,
        description=(
            "What is said in every turn; `{{name}}` is filled in. Beside a `default_prompt` it is "
            "what is said in the first turn."
        ),
        examples=["Write a haiku about {{topic}}."],
    )
    default_prompt: str | None = Field(
        None,
        validation_alias=AliasChoices("default_prompt", "defaultPrompt"),
        description="What is said in every turn but the first, if that has a prompt of its own.",
        examples=["Improve it: {{default}}"],
    )
    first_only_prompt: str | None = Field(
        None,
        validation_alias=AliasChoices("first_only_prompt", "firstOnlyPrompt"),
        description="What is said in the first turn.",
        examples=["Begin with a haiku about {{topic}}."],
    )
    prompt_file: str | None = Field(
        None,
        validation_alias=AliasChoices("prompt_file", "promptFile"),
        description="A file with the `default_prompt`; relative to the run's root.",
        examples=["prompts/improve.md"],
    )
    first_prompt_file: str | None = Field(
        None,
        validation_alias=AliasChoices("first_prompt_file", "firstPromptFile"),
        description="A file with the `first_only_prompt`; relative to the run's root.",
        examples=["prompts/begin.md"],
    )
    memory: Annotated[str, spelled_or_words(get_args(View), VIEWS)] = Field(
        "ALL_INVOLVED",
        validation_alias=AliasChoices(
            *("memory", "memorize_to", "memorizeTo", "memory_profile", "memoryProfile"),
            *("forgettingMode", "forgetting_mode", "forget_mode"),
            *("contextCleaningRule", "context_cleaning_rule"),
        ),
        description=(
            "What the person sees of the conversation so far. By default all that it said or "
            "was told; `ALL_MESSAGES` is the words of everybody, `GOLDFISH` nothing. Or say in "
            "several words what it shall remember."
        ),
        examples=["what was said about the budget"],
    )
    memory_selector: Selector | None = Field(
        None,
        description=(
            "Who finds what a `memory` in words means: `lexical` compares the words, `embeddings` "
            "what the `memory_model` makes of them, `model` asks the `memory_person`. By default "
            "the one that is given, else `lexical`."
        ),
    )
    memory_model: str | None = Field(
        None,
        description="The embedding model that finds what a `memory` in words means.",
        examples=["openai/text-embedding-3-small"],
    )
    memory_person: Label | None = Field(
        None,
        description=(
            "The person who is asked what a `memory` in words means. By default whoever is spoken "
            "to."
        ),
        examples=["Librarian"],
    )
    at_most: int | None = Field(
        None,
        ge=1,
        validation_alias=AliasChoices("at_most", "atMost", "max_messages", "maxMessages"),
        description=(
            "How many of these messages it sees at most, the newest. By default all; of those that "
            "a `memory` in words means, the ten that do so most."
        ),
        examples=[10],
    )
    ignore_person: tuple[Label, ...] = Field(
        (),
        validation_alias=AliasChoices("ignore_person", "ignorePerson"),
        description="Persons of whom the person sees nothing: a list, or text with commas.",
        examples=[["Critic"]],
    )
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

    @model_validator(mode="before")
    @classmethod
    def _older_memory(cls, data: Any) -> Any:
        """Read `memory_config: {forget_mode}` and `memory_settings: {view}` of older files."""
        if not isinstance(data, Mapping):
            return data
        older = set(OLDER_MEMORY)
        read = {name: value for name, value in data.items() if name not in older}
        if str(read.get("memory_profile")).upper() == "CUSTOM":
            del read["memory_profile"]
        for settings in (data[name] for name in sorted(older & data.keys())):
            if not isinstance(settings, Mapping):
                raise ValueError("the memory's settings must be a map")  # noqa: TRY004 - for pydantic
            view = settings.get("forget_mode") or settings.get("forgetMode") or settings.get("view")
            for name, value in (("memory", view), ("at_most", settings.get("max_messages"))):
                if value is not None and not read.keys() & set(cls.names_of(name)):
                    read[name] = value
        return read

    @field_validator("memory", mode="before")
    @classmethod
    def _view(cls, value: Any) -> Any:
        return "ALL_INVOLVED" if value is None else memory_named(str(value))

    @field_validator("memory_model")
    @classmethod
    def _whose(cls, value: str | None) -> str | None:
        if value is not None and value != "demo" and not re.fullmatch(r"[\w.-]+[/:].+", value):
            raise ValueError(f"say whose it is, as in openai/{value}; or write demo to try without")
        return value

    @field_validator("person", mode="before", json_schema_input_type=Label)
    @classmethod
    def _by_label(cls, value: Any) -> Any:
        if isinstance(value, Mapping):
            raise ValueError("write the label of a person here, and the person under `persons:`")  # noqa: TRY004 - for pydantic
        return value

    @field_validator(
        "ignore_person", mode="before", json_schema_input_type=str | list[Label] | None
    )
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [each.strip() for each in value.split(",") if each.strip()]
        return () if value is None else value

    def contradictions(self) -> Iterator[str]:
        every, first = self._prompts()
        for fields in (every, first):
            if len(fields) > 1:
                both = " and ".join(f"`{field}`" for field in fields)
                yield f"has {both} for the same turns: leave one of them out"
        if not every and not first:
            yield "needs a `prompt`"
        if self.selector == "embeddings" and self.memory_model is None:
            yield "needs a `memory_model` to compare by embeddings"

    def _prompts(self) -> tuple[list[str], list[str]]:
        """The properties with what is said in every turn, and with what is said in the first."""
        every = self._one_of("default_prompt", "prompt_file")
        first = self._one_of("first_only_prompt", "first_prompt_file")
        if self.prompt is not None:
            (first if every else every).append("prompt")
        return every, first

    def _one_of(self, *names: str) -> list[str]:
        """Those that are given; forms that have both leave one of them empty, which means none."""
        given = [name for name in names if getattr(self, name) is not None]
        return [name for name in given if getattr(self, name)] or given[:1]

    @property
    def selector(self) -> Selector:
        """Who finds what a `memory` in words means."""
        if self.memory_selector is not None:
            return self.memory_selector
        return "embeddings" if self.memory_model else "model" if self.memory_person else "lexical"

    def without_effect(self) -> Mapping[str, str]:
        if is_view(self.memory):
            fields = ("memory_selector", "memory_model", "memory_person")
            unused = dict.fromkeys(fields, "counts only with a `memory` in several words")
        else:
            needed = {"memory_model": "embeddings", "memory_person": "model"}
            unused = {
                field: f"counts only with `memory_selector: {selector}`"
                for field, selector in needed.items()
                if self.selector != selector
            }
        if not self.tools:
            unused |= {"max_tool_rounds": "counts only with `tools`"}
        if self.memory == "GOLDFISH":
            limits = ("at_most", "ignore_person")
            unused |= dict.fromkeys(limits, "has no effect: GOLDFISH sees nothing")
        return unused

    async def prompt_in(self, ctx: Context) -> Prompt:
        """What is said in this turn."""
        every, first = self._prompts()
        (field,) = first if first and (ctx.turn == 1 or not every) else every
        text: str = getattr(self, field)
        if not field.endswith("_file"):
            return Prompt(field, text)
        try:
            return Prompt(field, await ctx.services.files.read(text))
        except ServiceError as error:
            raise NodeError(f"cannot read the prompt: {error}", field=field) from error

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
        view = await self._remembered(past, ctx)
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

    async def _remembered(self, past: Sequence[Message], ctx: Context) -> Sequence[Message]:
        """What the person sees of what was said before: by its view, or by what is wanted."""
        if is_view(self.memory):
            return choose(past, self.memory, self.person, self.at_most, self.ignore_person)
        recall = Recall(
            wanted=Prompt("memory", self.memory).filled(ctx.names),
            at_most=self.at_most or USUALLY_AT_MOST,
            timeout=self.timeout or DEFAULT_TIMEOUT,
            person=ctx.person(self.memory_person or self.person)
            if self.selector == "model"
            else None,
            model=Person(model=self.memory_model) if self.selector == "embeddings" else None,
        )
        all_messages = choose(past, "ALL_MESSAGES", self.person, ignored=self.ignore_person)
        return await recall.of(all_messages, ctx)


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
