"""Run a diagram to its end on a real engine, and look at what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any

from dipeo_jupyter.app import build_engine
from dipeo_jupyter.client import Conversation
from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.engine.engine import Engine
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.protocol.commands import ExecuteDiagram
from dipeo_jupyter.settings import Settings

Steer = Callable[[Engine, e.Entry], Awaitable[None]]
"""What a test does when an entry arrives."""


@dataclass
class Outcome:
    entries: list[e.Entry] = field(default_factory=list)

    @property
    def events(self) -> list[e.AnyEvent]:
        return [entry.event for entry in self.entries]

    @property
    def last(self) -> e.AnyEvent:
        return self.events[-1]

    @property
    def outputs(self) -> Mapping[str, Any]:
        assert isinstance(self.last, e.ExecutionCompleted), self.last
        return self.last.outputs

    @property
    def error(self) -> e.ErrorInfo:
        assert isinstance(self.last, e.ExecutionFailed), self.last
        return self.last.error

    @property
    def order(self) -> list[str]:
        """The firings in the order in which they began: `argue[2]`."""
        return [f"{x.node}[{x.activation}]" for x in self.of(e.NodeStarted)]

    @property
    def skipped(self) -> list[str]:
        return [x.node for x in self.of(e.NodeSkipped) if x.reason == "no_live_input"]

    @property
    def passed(self) -> list[str]:
        """Nodes that were out of turns and handed on their last output."""
        return [x.node for x in self.of(e.NodeSkipped) if x.reason == "max_iterations"]

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def completed(self, node: str) -> list[e.NodeCompleted]:
        return [x for x in self.of(e.NodeCompleted) if x.node == node]

    def inputs(self, node: str, activation: int = 1) -> Mapping[str, Any]:
        starts = [x for x in self.of(e.NodeStarted) if x.node == node]
        return starts[activation - 1].inputs

    def prompts(self, node: str) -> list[str]:
        return [x.messages[0].content for x in self.completed(node)]


def diagram_of(text: str) -> Diagram:
    return light.loads(dedent(text))


def run(
    diagram: str | Diagram,
    inputs: Mapping[str, Any] | None = None,
    *,
    root: Path = Path(),
    answers: Mapping[str, Any] | None = None,
    steer: Steer | None = None,
    engine: Callable[[], Engine] | None = None,
    **options: Any,
) -> Outcome:
    """Run to the end; `steer` is called with every entry, before the next one is looked at."""
    drawn = diagram if isinstance(diagram, Diagram) else diagram_of(diagram)
    outcome = Outcome()

    async def main() -> None:
        running = engine() if engine else build_engine(Settings(root=root))
        try:
            command = ExecuteDiagram(diagram=drawn, inputs=dict(inputs or {}), **options)
            ack = await running.send(command)
            assert ack.execution_id
            talk = Conversation(running, ack.execution_id, answers or {})
            async for entry in talk.entries():
                outcome.entries.append(entry)
                if steer:
                    await steer(running, entry)
        finally:
            await running.close()

    asyncio.run(main())
    return outcome
