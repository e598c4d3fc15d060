"""Answers that are JSON of a given form: how they are asked for, read, and asked for again."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, NamedTuple

from pydantic import Field, field_validator

from ..diagram.model import Diagram, Label
from ..engine.chat import ChatMessage
from ..engine.node import Context
from ..engine.schemas import fault_in, misfit, strict_json
from ..errors import NodeError, Problem, ServiceError
from ..protocol.events import Message
from .checks import check_schema
from .speech import Speaker
from .talk import Talk, made_in
from .views import as_chat

FIELD = "output_schema"
QUOTED = 120
"""Characters of an answer that an error quotes."""
DETAILS = 4_000
"""Characters of it that are shown on demand."""

_FENCE = re.compile(r"```[^\n`]*\n(.*?)```", re.DOTALL)
_ASKED = "Answer with nothing but JSON that fulfils this JSON Schema:\n{schema}"
_AGAIN = (
    "That is not the JSON that was asked for: {fault}. "
    "Answer again, with the whole JSON and nothing else."
)
_STRICT = frozenset(
    "type properties required additionalProperties items enum const anyOf $ref $defs title "  # noqa: SIM905 - shorter than a list
    "description".split()
)
"""What may stand in a schema that OpenAI, and whoever does as it does, follows to the letter."""


class Answer(NamedTuple):
    """What a person said, and what that means; `uses` are the messages in which it used tools."""

    text: str
    value: Any
    images: tuple[str, ...] = ()
    uses: tuple[Message, ...] = ()

    def message(self, name: str, sender: Label) -> Message:
        """What is said at last. Images made on the way are in the messages of that."""
        made = {image for each in self.uses for image in made_in(each)}
        images = tuple(each for each in self.images if each not in made)
        return Message(id=name, sender=sender, content=self.text, images=images)


class Structured(Speaker):
    """Base of the node types whose persons may have to answer with JSON.

    With an `output_schema`, the person is asked for JSON that fulfils it, and what the node hands
    on is its value. Who answers otherwise is told what is wrong and asked again, `output_retries`
    times; nobody else hears of that.
    """

    output_schema: dict[str, Any] | str | None = Field(
        None,
        description=(
            "The JSON Schema of the answer, or a `.json` file with it, relative to the run's root. "
            "What the node hands on is then the value that the answer stands for."
        ),
        examples=[
            {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"]},
            "schemas/review.json",
        ],
    )
    output_retries: int = Field(
        2,
        ge=0,
        description=(
            "How often a person whose answer does not fulfil the `output_schema` is told so and "
            "asked again."
        ),
    )

    @field_validator(FIELD, mode="before")
    @classmethod
    def _schema_or_file(cls, value: Any) -> Any:
        file = isinstance(value, str) and value.lower().endswith(".json")
        if not (value is None or file or isinstance(value, Mapping)):
            raise ValueError("write a JSON Schema, or the path of a .json file with one")
        return value

    def without_effect(self) -> Mapping[str, str]:
        unused = super().without_effect()
        if self.output_schema is None:
            return {**unused, "output_retries": "counts only with an `output_schema`"}
        return unused

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        yield from super().check(label, diagram)
        if isinstance(self.output_schema, dict):
            yield from check_schema(label, FIELD, self.output_schema)

    def keys_of_answer(self) -> Collection[str] | None:
        """The keys of the object that an answer stands for; None when they are not known."""
        schema = self.output_schema
        if schema is None:
            return ("text", "images") if self.draws else ()
        return _keys(schema) if isinstance(schema, dict) else None

    async def form(self, ctx: Context) -> Form | None:
        """What an answer must be like; None when any text will do. May read a file."""
        schema = self.output_schema
        if isinstance(schema, str):
            schema = await _read(schema, ctx)
        return None if schema is None else Form(schema, self.output_retries)

    async def answer(
        self,
        talk: Talk,
        form: Form | None,
        prompt: Message,
        ctx: Context,
        show: Callable[[str], None],
        name: str = "",
    ) -> Answer:
        """What the person answers; see `Talk.say`. Raises `NodeError` when it has not the form."""
        if form is not None:
            return await form.asked(talk, prompt, ctx, show, name)
        said = await talk.say(prompt, ctx, show, name)
        value: Any = said.text
        if said.images or self.draws:
            value = {"text": said.text, "images": list(said.images)}
        return Answer(said.text, value, said.images, said.uses)


@dataclass(frozen=True, slots=True)
class Form:
    """The schema that answers must fulfil, and how often one is asked again."""

    schema: dict[str, Any]
    retries: int

    async def asked(
        self,
        talk: Talk,
        prompt: Message,
        ctx: Context,
        show: Callable[[str], None],
        name: str = "",
    ) -> Answer:
        """Ask until the answer has the form.

        Each try is an effect of its own. Those known from before (a crash, another run) do not
        count, so who tries again after a failure does ask again.
        """
        talk = self._demanding(talk, ctx)
        aside: list[ChatMessage] = []
        uses: tuple[Message, ...] = ()
        asked = 0
        for number in count():
            effect = f"{name}.again{number}" if number else name
            said = await talk.say(prompt, ctx, show, effect, aside, uses)
            if not said.is_known:
                return Answer(said.text, self._stand_in(said.text))
            aside += [chat for each in said.uses[len(uses) :] for chat in as_chat(each, talk.me)]
            uses = said.uses
            # In a thread: jsonschema takes long to import, and long for what is long.
            fault, value = await asyncio.to_thread(self.read, said.text)
            if fault is None:
                return Answer(said.text, value, said.images, uses)
            asked += said.is_new
            if asked > self.retries:
                raise _unfit(talk.me, number + 1, fault, said.text)
            ctx.progress(f"the answer is not what was asked for ({fault}); asking again")
            again = _AGAIN.format(fault=fault)
            aside += [ChatMessage("assistant", said.text), ChatMessage("user", again)]
            # An answer that was wrong before may be kept, but not for ever.
            talk = replace(talk, cache=False)
        raise AssertionError("counting has no end")

    def read(self, text: str) -> tuple[str | None, Any]:
        """What is wrong with an answer, else its value; it may stand in a Markdown fence."""
        faults: list[str] = []
        broken: list[str] = []
        for each in (text, *_FENCE.findall(text)):
            try:
                value = strict_json(each.strip())
            except ValueError as error:
                broken.append(f"it is no JSON ({error})")
                continue
            fault = misfit(self.schema, value)
            if fault is None:
                return None, value
            faults.append(fault)
        return (faults or broken[::-1])[0], None

    def _demanding(self, talk: Talk, ctx: Context) -> Talk:
        """Whoever can be held to a schema, is; all others are told it, beside what they are."""
        own = talk.person.parameters.get("response_format")
        # The root must be an object there.
        held = own is None and self.schema.get("type") == "object"
        if held and ctx.services.llm.takes_schema(talk.person):
            schema = {"name": "answer", "schema": self.schema, "strict": is_strict(self.schema)}
            wanted = {"response_format": {"type": "json_schema", "json_schema": schema}}
            return replace(talk, person=talk.person.model_copy(update=wanted))
        told = _ASKED.format(schema=json.dumps(self.schema, ensure_ascii=False))
        return replace(talk, system=f"{talk.system}\n\n{told}" if talk.system else told)

    def _stand_in(self, mark: str) -> Any:
        """What a plan takes for a value that is not known: of an object, each key."""
        keys = _keys(self.schema)
        return dict.fromkeys(keys, mark) if keys else mark


def is_strict(schema: Any) -> bool:
    """Whether a schema leaves nothing open: every key of every object is named and required."""
    if not isinstance(schema, Mapping) or not schema.keys() <= _STRICT:
        return False
    properties = schema.get("properties", {})
    if schema.get("type") == "object" and (
        schema.get("additionalProperties") is not False
        or set(schema.get("required", ())) != set(properties)
    ):
        return False
    inner = [*properties.values(), *schema.get("$defs", {}).values(), *schema.get("anyOf", ())]
    return all(map(is_strict, [*inner, schema["items"]] if "items" in schema else inner))


def _keys(schema: Mapping[str, Any]) -> Collection[str] | None:
    match schema:
        case {"properties": dict(properties)}:
            return tuple(properties)
        case {"type": str(kind)} if kind != "object":
            return ()
    return None


async def _read(path: str, ctx: Context) -> dict[str, Any]:
    try:
        schema = strict_json(await ctx.services.files.read(path))
    except ServiceError as error:
        raise NodeError(f"cannot read the schema: {error}", field=FIELD) from error
    except ValueError as error:
        raise NodeError(f"{path} is no JSON: {error}.", field=FIELD) from None
    if not isinstance(schema, dict):
        raise NodeError(f"{path} is no JSON Schema: it must be an object.", field=FIELD)
    if (fault := await asyncio.to_thread(fault_in, schema)) is not None:
        raise NodeError(f"{path} is no JSON Schema: {fault}.", field=FIELD)
    return schema


def _unfit(who: Label, tries: int, fault: str, text: str) -> NodeError:
    times = "" if tries == 1 else f", asked {tries} times"
    said = " ".join(text.split())
    said = said if len(said) <= QUOTED else f"{said[: QUOTED - 1]}…"
    message = f"{who!r} did not answer as the `output_schema` wants{times}: {fault}."
    return NodeError(f"{message} It said: {said}", field=FIELD, details=text[:DETAILS])
