"""What a kernel or a program has one of: a background loop, and an engine on it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from ..app import build_engine
from ..client import Ask, Conversation
from ..diagram.files import Readable, read
from ..diagram.suggest import did_you_mean
from ..engine.engine import Engine
from ..errors import CommandError, DiagramError
from ..protocol.commands import ExecuteDiagram
from ..settings import Settings
from .background import BackgroundLoop
from .run import Run
from .values import as_inputs


class Session:
    """Starts runs on an engine in this process."""

    def __init__(self, settings: Settings) -> None:
        self.loop = BackgroundLoop()
        self.engine: Engine = build_engine(settings)

    def start(
        self,
        diagram: Readable,
        inputs: Mapping[str, Any] | None = None,
        *,
        answers: Mapping[str, Any] | None = None,
        ask: Ask | None = None,
        name: str | None = None,
        paused: bool = False,
    ) -> Run:
        """Start a run and return it at once; raises `DiagramError` for a diagram that is wrong.

        Questions that `answers` do not answer are put through `ask`; without it the run waits.
        """
        drawn, source = read(diagram)
        if name is not None:
            drawn = drawn.model_copy(update={"name": name})
        _check_answers(answers or {}, [spec.label for spec in drawn.nodes])
        command = ExecuteDiagram(diagram=drawn, inputs=as_inputs(inputs or {}), paused=paused)
        try:
            ack = self.loop.run(self.engine.send(command))
        except DiagramError as error:
            if source is None:
                raise
            raise DiagramError(*(source.locate(each) for each in error.problems)) from None
        assert ack.execution_id is not None
        conversation = Conversation(self.engine, ack.execution_id, answers or {}, ask)
        return Run(conversation, drawn, source, self.loop, ack.seq)

    def close(self) -> None:
        self.loop.run(self.engine.close())
        self.loop.close()


def _check_answers(answers: Mapping[str, Any], labels: list[str]) -> None:
    for key in answers:
        if key not in labels and key.rpartition("[")[0] not in labels:
            hint = did_you_mean(key, labels) or ""
            message = f"There is no node {key!r} to answer for. {hint}".strip()
            raise CommandError(message, code="unknown_node")


@cache
def default_session() -> Session:
    """The one session of this kernel, made when it is first used."""
    return Session(Settings.from_environment())
