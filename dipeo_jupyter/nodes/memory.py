"""What a person sees of what was said before: the properties that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, get_args

from pydantic import AliasChoices, Field, field_validator, model_validator

from ..diagram.model import Label, Person
from ..engine.node import Context, Node
from ..protocol.events import Message
from .prompts import Prompt
from .recall import USUALLY_AT_MOST, Recall, Selector
from .spellings import spelled_or_words
from .talk import DEFAULT_TIMEOUT
from .views import VIEWS, View, choose, is_view, memory_named

OLDER_MEMORY = ("memory_config", "memoryConfig", "memory_settings", "memorySettings")
"""Maps in which older files hold what is `memory` and `at_most` now."""


class Remembering(Node):
    """Base of the node types in which a person remembers.

    `memory` names the view of the conversation that the person sees, `at_most` limits it to the
    newest messages, `ignore_person` leaves out what some persons said or were told. In several
    words, `memory` says what is to be remembered, and the `memory_selector` finds it.
    """

    older: ClassVar[Mapping[str, str]] = dict.fromkeys(OLDER_MEMORY, "`memory` and `at_most`")

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

    @field_validator(
        "ignore_person", mode="before", json_schema_input_type=str | list[Label] | None
    )
    @classmethod
    def _comma_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [each.strip() for each in value.split(",") if each.strip()]
        return () if value is None else value

    def contradictions(self) -> Iterator[str]:
        yield from super().contradictions()
        if self.selector == "embeddings" and self.memory_model is None:
            yield "needs a `memory_model` to compare by embeddings"

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
        if self.memory == "GOLDFISH":
            limits = ("at_most", "ignore_person")
            unused |= dict.fromkeys(limits, "has no effect: GOLDFISH sees nothing")
        return unused

    async def remembered(
        self, me: Label, past: Sequence[Message], ctx: Context
    ) -> Sequence[Message]:
        """What the person sees of what was said before: by its view, or by what is wanted."""
        if is_view(self.memory):
            return choose(past, self.memory, me, self.at_most, self.ignore_person)
        recall = Recall(
            wanted=Prompt("memory", self.memory).filled(ctx.names),
            at_most=self.at_most or USUALLY_AT_MOST,
            timeout=self.timeout or DEFAULT_TIMEOUT,
            person=ctx.person(self.memory_person or me) if self.selector == "model" else None,
            model=Person(model=self.memory_model) if self.selector == "embeddings" else None,
        )
        all_messages = choose(past, "ALL_MESSAGES", me, ignored=self.ignore_person)
        return await recall.of(all_messages, ctx)
