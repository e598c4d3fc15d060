"""Speaking to a person: what `person_job` and `person_batch_job` have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, field_validator, model_validator

from ..diagram import template
from ..diagram.model import Diagram, Label, Person
from ..diagram.suggest import did_you_mean
from ..engine.inputs import messages_in
from ..engine.node import Context, Inputs, Node, RetryPolicy
from ..engine.ports import ChatMessage, ChatRequest
from ..errors import NodeError, Problem, ServiceError, TemplateError
from ..protocol.events import Message
from .checks import check_template
from .views import View, as_chat, choose, view_named

DEFAULT_TIMEOUT = 120.0
"""Seconds for one call to a model, when the node gives no `timeout`."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A person about to be spoken to, with all that it knows.

    `shown` is what it sees before the prompt, in order. `heard` are those of them that an edge
    brought from outside the conversation; they become part of it.
    """

    me: Label
    person: Person
    system: str | None
    shown: Sequence[Message]
    heard: Sequence[Message]
    timeout: float

    def request(self, prompt: Message) -> ChatRequest:
        """What the model gets."""
        system = [ChatMessage("system", self.system)] if self.system else []
        said = [as_chat(message, self.me) for message in (*self.shown, prompt)]
        return ChatRequest(self.person, [*system, *said], self.timeout)


class Speaker(Node):
    """Base of the node types that speak to a person.

    `prompt` is said in every turn; with `first_only_prompt`, that is said in the first one instead
    (beside a `default_prompt`, `prompt` is the first one). `memory` names the view of the
    conversation that the person sees, `at_most` limits it to the newest messages, `ignore_person`
    leaves out what some persons said or were told. What an edge of the type `conversation_state`
    brings is seen whatever the view.
    """

    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()

    person: Label = Field(validation_alias=AliasChoices("person", "personId", "person_id"))
    default_prompt: str | None = Field(
        None, validation_alias=AliasChoices("default_prompt", "defaultPrompt", "prompt")
    )
    first_only_prompt: str | None = Field(
        None, validation_alias=AliasChoices("first_only_prompt", "firstOnlyPrompt", "prompt")
    )
    memory: View = Field(
        "ALL_INVOLVED", validation_alias=AliasChoices("memory", "memorize_to", "memory_profile")
    )
    at_most: int | None = Field(
        None, ge=1, validation_alias=AliasChoices("at_most", "max_messages")
    )
    ignore_person: tuple[Label, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _older_memory(cls, data: Any) -> Any:
        """Read `memory_config: {forget_mode}` and `memory_settings: {view}` of older files."""
        if not isinstance(data, Mapping):
            return data
        older = {"memory_config", "memory_settings"}
        read = {name: value for name, value in data.items() if name not in older}
        if str(read.get("memory_profile")).upper() == "CUSTOM":
            del read["memory_profile"]
        for settings in (data[name] for name in sorted(older & data.keys())):
            if not isinstance(settings, Mapping):
                raise ValueError("the memory's settings must be a map")  # noqa: TRY004 - for pydantic
            view = settings.get("forget_mode") or settings.get("view")
            for name, value in (("memory", view), ("at_most", settings.get("max_messages"))):
                if value is not None and not read.keys() & set(cls.names_of(name)):
                    read[name] = value
        return read

    @field_validator("memory", mode="before")
    @classmethod
    def _view(cls, value: Any) -> Any:
        return "ALL_INVOLVED" if value is None else view_named(str(value))

    @field_validator("ignore_person", mode="before")
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        return [each.strip() for each in value.split(",")] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _has_prompt(self) -> Speaker:
        if self.default_prompt is None and self.first_only_prompt is None:
            raise ValueError("needs a `prompt`")
        return self

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        named = {self.person: "person"} | dict.fromkeys(self.ignore_person, "ignore_person")
        for person, field in named.items():
            if person not in diagram.persons:
                verb = "speaks to" if field == "person" else "ignores"
                message = f"Node {label!r} {verb} {person!r}, who is none of the persons."
                hint = did_you_mean(person, diagram.persons) or "Add it under `persons:`."
                yield Problem("unknown_person", message, label, ("nodes", label, field), hint)
        # By text: `prompt` alone is both of them.
        prompts = {
            self.first_only_prompt: "first_only_prompt",
            self.default_prompt: "default_prompt",
        }
        for text, field in prompts.items():
            yield from check_template(label, field, text)

    def prompt_of(self, ctx: Context, names: Mapping[str, Any]) -> str:
        """What is said in this turn."""
        first = self.first_only_prompt is not None and ctx.turn == 1
        field = "first_only_prompt" if first or self.default_prompt is None else "default_prompt"
        try:
            return template.render(getattr(self, field), names)
        except TemplateError as error:
            raise NodeError(str(error), field=field) from error

    async def talk(self, inputs: Inputs, ctx: Context) -> Talk:
        """Choose what the person sees: of what was said before, and of what the edges bring."""
        person = ctx.person(self.person)
        past = ctx.conversation()
        brought = _brought(inputs, frozenset(past))
        view = choose(past, self.memory, self.person, self.at_most, self.ignore_person)
        chosen = {*view, *brought}
        shown = [message for message in past if message in chosen]
        heard = [message for message in brought if message not in set(shown)]
        return Talk(
            me=self.person,
            person=person,
            system=await _system_prompt(person, ctx),
            shown=[*shown, *heard],
            heard=heard,
            timeout=self.timeout or DEFAULT_TIMEOUT,
        )


def _brought(inputs: Inputs, past: Collection[Message]) -> list[Message]:
    """The messages that edges bring, each once; those from outside get an id of their own."""
    found = [message for value in inputs.values() for message in messages_in(value) or ()]
    return list(dict.fromkeys(each if each in past else _from_outside(each) for each in found))


def _from_outside(message: Message) -> Message:
    """The same whenever it is heard, but never taken for one that was said in this run."""
    digest = hashlib.sha256(message.content.encode()).hexdigest()[:8]
    return Message(
        id=f"{message.id}#{digest}",
        sender=message.sender,
        recipient=message.recipient,
        content=message.content,
    )


async def _system_prompt(person: Person, ctx: Context) -> str | None:
    if person.prompt_file is None:
        return person.system_prompt
    try:
        return await ctx.services.files.read(person.prompt_file)
    except ServiceError as error:
        message = f"cannot read the person's prompt file: {error}"
        raise NodeError(message, field="person") from error
