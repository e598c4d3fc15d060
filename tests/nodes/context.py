"""A small real `Context` for tests of node types: hand in what a node may see, look at its acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dipeo_jupyter.diagram.model import Diagram, Label, Person
from dipeo_jupyter.engine.ports import (
    LLM,
    Embedder,
    Files,
    Kernel,
    Notion,
    Painter,
    Sandbox,
    Services,
    Toolbox,
)
from dipeo_jupyter.engine.ports.collections import Collections
from dipeo_jupyter.engine.ports.web import Web
from dipeo_jupyter.engine.powers import Power
from dipeo_jupyter.protocol.events import EffectCompleted, Message, Question

T = TypeVar("T")


def services(
    llm: LLM | None = None,
    files: Files | None = None,
    sandbox: Sandbox | None = None,
    notion: Notion | None = None,
    embedder: Embedder | None = None,
    tools: Toolbox | None = None,
    *,
    painter: Painter | None = None,
    kernel: Kernel | None = None,
    web: Web | None = None,
    collections: Collections | None = None,
) -> Services:
    """Only the services a test needs; a node that uses another one fails at once."""
    parts = (llm, files, sandbox, notion, embedder, tools, painter, kernel, web, collections)
    return Services(*parts)  # type: ignore[arg-type]


@dataclass
class FakeContext:
    """What a node is told, as fields; what it shows and asks is kept in the lists at the end."""

    services: Services = field(default_factory=services)
    names: Mapping[str, Any] = field(default_factory=dict)
    named_inputs: Mapping[str, Any] = field(default_factory=dict)
    node: Label = "node"
    activation: int = 1
    turn: int = 1
    diagram: Diagram = field(default_factory=Diagram)
    run_inputs: Mapping[str, Any] = field(default_factory=dict)
    messages: Sequence[Message] = ()
    all_limits_reached: bool = False
    turns_by_label: Mapping[Label, int] = field(default_factory=dict)
    answers: list[Any] = field(default_factory=list)
    streamed: list[str] = field(default_factory=list)
    progressed: list[str] = field(default_factory=list)
    asked: list[Question] = field(default_factory=list)

    scripts: list[str] = field(default_factory=list)

    path: str = ""
    fresh: bool = False

    @property
    def name(self) -> str:
        return f"{self.node}[{self.activation}]"

    async def check_script(self, power: Power, text: str) -> None:
        self.scripts.append(text)

    def render(self, template: str) -> str:
        # Late: a test that renders nothing needs no renderer.
        from dipeo_jupyter.diagram.template import render  # noqa: PLC0415

        return render(template, self.names)

    def evaluate(self, expression: str) -> Any:
        # Late: a test that evaluates nothing needs no interpreter.
        from dipeo_jupyter.diagram.expression import evaluate  # noqa: PLC0415

        return evaluate(expression, self.names)

    def person(self, label: Label) -> Person:
        return self.diagram.persons[label]

    def conversation(self) -> Sequence[Message]:
        return self.messages

    def limits_reached(self) -> bool:
        return self.all_limits_reached

    def turns(self, label: Label) -> int:
        return self.turns_by_label.get(label, 0)

    def stream(self, text: str) -> None:
        self.streamed.append(text)

    def progress(self, message: str) -> None:
        self.progressed.append(message)

    async def effect(self, request, work, policy=None, name=""):
        value = await work(f"{self.node}[{self.activation}]{name}")
        return EffectCompleted(
            node=self.node, activation=self.activation, effect=name, key="", value=value
        )

    async def ask(self, question: Question) -> Any:
        self.asked.append(question)
        return self.answers.pop(0)

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T:
        return await work()
