"""Speaking to a person: what `person_job` and `person_batch_job` have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import AliasChoices, Field, field_validator, model_validator

from ..diagram import template
from ..diagram.model import Diagram, Label, Person
from ..diagram.suggest import did_you_mean
from ..engine.node import Context, Inputs, Node, RetryPolicy
from ..engine.ports import ChatMessage, ChatRequest
from ..errors import NodeError, Problem, ServiceError, TemplateError
from ..protocol.events import Message
from .views import View, as_chat, choose, view_named

DEFAULT_TIMEOUT = 120.0
"""Seconds for one call to a model, when the node gives no `timeout`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call to a model, ready to be made: what is sent, and the ids of what is shown."""

    request: ChatRequest
    seen: tuple[str, ...]


class Speaker(Node):
    """Base of the node types that speak to a person.

    `prompt` is said in every turn; with `first_only_prompt`, that is said in the first one instead.
    `memory` names the view of the conversation that the person sees, `at_most` limits it to the
    newest messages, `ignore_person` leaves out what some persons said or were told.
    """

    default_retry: ClassVar[RetryPolicy | None] = RetryPolicy()
    ignored: ClassVar[frozenset[str]] = frozenset({"memory_config", "memory_settings"})

    person: Label = Field(validation_alias=AliasChoices("person", "personId", "person_id"))
    default_prompt: str | None = Field(
        None, validation_alias=AliasChoices("default_prompt", "defaultPrompt")
    )
    first_only_prompt: str | None = Field(
        None, validation_alias=AliasChoices("first_only_prompt", "firstOnlyPrompt")
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
    def _older_spellings(cls, data: Any) -> Any:
        """Read `prompt` (beside a default prompt it is the first one) and forget modes."""
        if not isinstance(data, Mapping):
            return data
        data = dict(data)
        prompt = data.pop("prompt", None)
        if prompt is not None:
            free = next((x for x in ("default_prompt", "first_only_prompt") if x not in data), None)
            if free is None:
                raise ValueError("`prompt` beside `default_prompt` and `first_only_prompt`")
            data[free] = prompt
        config = data.pop("memory_config", None)
        if isinstance(config, Mapping) and config.get("forget_mode"):
            data.setdefault("memory", config["forget_mode"])
        return data

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

    @classmethod
    def property_names(cls) -> list[str]:
        return ["prompt", *super().property_names()]

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        path = ("nodes", label, "person")
        if self.person not in diagram.persons:
            message = f"Node {label!r} speaks to {self.person!r}, who is none of the persons."
            hint = did_you_mean(self.person, diagram.persons) or "Add it under `persons:`."
            yield Problem("unknown_person", message, label, path, hint)
        for field in ("default_prompt", "first_only_prompt"):
            try:
                template.check(getattr(self, field) or "")
            except TemplateError as error:
                at = ("nodes", label, field)
                yield Problem("bad_template", f"Node {label!r}: {error}", label, at)

    def prompt_for(self, ctx: Context) -> tuple[str, str]:
        """The template of this turn, and the name of the property it comes from."""
        if ctx.turn == 1 and self.first_only_prompt is not None:
            return self.first_only_prompt, "first_only_prompt"
        if self.default_prompt is None:
            return self.first_only_prompt or "", "first_only_prompt"
        return self.default_prompt, "default_prompt"

    async def prepare(self, inputs: Inputs, ctx: Context, prompt: Message) -> Call:
        """Choose what the person sees, and put the prompt behind it."""
        person = ctx.person(self.person)
        view = choose(
            ctx.conversation(), self.memory, self.person, self.at_most, self.ignore_person
        )
        known = {message.id for message in view}
        carried = [message for message in _carried(inputs) if message.id not in known]
        shown = [*view, *(message for message in carried if message.sender != self.person), prompt]
        system = await _system_prompt(person, ctx)
        messages = [
            *([ChatMessage("system", system)] if system else []),
            *(as_chat(message, self.person) for message in shown),
        ]
        timeout = self.timeout or DEFAULT_TIMEOUT
        request = ChatRequest(person=person, messages=messages, timeout=timeout)
        return Call(request, tuple(message.id for message in shown))


async def _system_prompt(person: Person, ctx: Context) -> str | None:
    if person.prompt_file is None:
        return person.system_prompt
    try:
        return await ctx.services.files.read(person.prompt_file)
    except ServiceError as error:
        raise NodeError(f"cannot read the person's prompt file: {error}") from error


def _carried(inputs: Inputs) -> Sequence[Message]:
    """The messages that edges of the type `conversation_state` bring along."""
    found: list[Message] = []
    for value in inputs.values():
        if isinstance(value, Mapping) and "last_message" in value and "messages" in value:
            for number, each in enumerate(value["messages"]):
                found.append(
                    Message.model_validate({**each, "id": each["id"] or f"input.{number}"})
                )
    return found
